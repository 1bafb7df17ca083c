# Takes one of pgvector's regression files apart into what fills its tables and what searches them, so that the
# searches can be repeated when veer's copy is live. The file makes a table t, fills, searches and drops it, over and
# over; here each has a name of its own and stays, and gets the key without which veer would not copy it.
#
#   awk -f lasting.awk -v name=hnsw_vector -v load=LOAD.sql -v search=SEARCH.sql hnsw_vector.sql
#
# A limit on ivfflat's probes makes pgvector leave rows out that it has; veer finds as many as were asked for, so no
# such limit is set. Every search over the whole table is repeated with a LIMIT, once for all columns and once for key and distance.

BEGIN { number = 1 }

/^SET ivfflat\.max_probes = [1-9]/ { next }

/^DROP TABLE/ {
    number++
    next
}

{
    table = name "_" number
    gsub(/ t /, " " table " ")
    gsub(/ t;/, " " table ";")
    gsub(/ t\)/, " " table ")")
}

/^CREATE .*TABLE / { sub(/\(val /, "(id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, val ") }

/^(CREATE|INSERT) / { print >load }

/^(SELECT|SET|RESET|SHOW) / { print >search }

/^SELECT \* FROM .* ORDER BY / {
    sub(/;$/, " LIMIT 3;")
    print >search
    distance = $0
    sub(/^.* ORDER BY /, "", distance)
    sub(/ LIMIT 3;$/, "", distance)
    sub(/\*/, "id, " distance " AS distance")
    print >search
}
