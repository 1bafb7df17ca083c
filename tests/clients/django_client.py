"""Django: the ORM with transaction.atomic, iterators over server-side cursors, raw cursors, errors."""

import django
from dialogue import (DATABASE, FAILING, KEY_AND_DISTANCE, LARGE, LOCAL, PASSWORD, REWRITE, USER,
                      Dialogue)
from django.conf import settings
from django.db import connection, models, transaction
from django.db.utils import Error as DatabaseError


def configure(port):
    settings.configure(
        USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": port,
            "NAME": DATABASE, "USER": USER, "PASSWORD": PASSWORD}})
    django.setup()


class VectorField(models.Field):

    def db_type(self, connection):
        return "vector(8)"

    def get_prep_value(self, value):
        return None if value is None else str(value)


class CosineDistance(models.Func):
    """As pgvector's own Django support writes it."""

    arg_joiner = " <=> "
    template = "(%(expressions)s)"
    output_field = models.FloatField()


def tables():
    """Models may only be declared once Django is configured."""

    class Document(models.Model):
        title = models.TextField(null=True)
        made = models.DateTimeField(null=True)
        e = VectorField()

        class Meta:
            app_label, db_table, managed = "clients", "docs", False

    class Entry(models.Model):
        id = models.IntegerField(primary_key=True)
        amount = models.DecimalField(max_digits=20, decimal_places=2)
        note = models.TextField(null=True)

        class Meta:
            app_label, db_table, managed = "clients", "ledger", False

    return Document, Entry


class DjangoClient(Dialogue):

    def __init__(self):
        super().__init__()
        configure(self.port)
        self.documents, self.entries = (model.objects for model in tables())

    def rows(self, sql, values=None):
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def last(self):
        return self.rows("SHOW veer.last")[0]

    def fails(self, step, call, *arguments, **named):
        describe = lambda error: [error.__cause__.diag.sqlstate, error.__cause__.diag.constraint_name]
        self.error(step, DatabaseError, describe, lambda: call(*arguments, **named))

    def nearest(self, probe, *columns):
        distance = CosineDistance(models.F("e"), models.Value(probe, output_field=VectorField()))
        found = self.documents.annotate(d=distance).order_by("d")[:5]
        return found.values_list(*columns) if columns else found

    def searches(self, probes):
        for probe in probes:
            self.search("values", LOCAL, lambda: self.nearest(probe, "id", "d"), self.last)
            self.search("more values", REWRITE, lambda: self.nearest(probe, "id", "title", "made", "d"),
                        self.last)
            self.search("objects", REWRITE, lambda: [
                (found.pk, found.title, found.made, found.e, found.d) for found in self.nearest(probe)],
                self.last)
            self.search("raw", LOCAL, lambda: self.rows(KEY_AND_DISTANCE.format("%s", "%s"),
                                                        (probe, probe, 5)), self.last)
        self.note("deferred", [found.title for found in self.nearest(probe).only("id")])
        self.note("counted", self.nearest(probe).count())

    def transactions(self, probe):
        ask = lambda: self.nearest(probe, "id", "d")
        with transaction.atomic():
            self.search("search in a transaction", LOCAL, ask, self.last)
            self.entries.create(id=1, amount=10)
            try:
                with transaction.atomic():
                    self.entries.create(id=2, amount=20)
                    self.entries.create(id=1, amount=10)
            except DatabaseError as error:
                self.note("error in a savepoint", [type(error).__name__, str(error)])
            self.search("search after a write", "transaction_wrote", ask, self.last)
            self.note("in the transaction", list(self.entries.values_list("id", "amount", "note")))
        try:
            with transaction.atomic():
                self.entries.all().update(note="lost")
                raise KeyError("the application's own error")
        except KeyError:
            self.note("after ROLLBACK", list(self.entries.values_list("id", "amount", "note")))
        self.search("search after ROLLBACK", LOCAL, ask, self.last)
        made = self.entries.update_or_create(id=1, defaults={"note": "updated"})[1]
        self.note("select for update, deleted", [made, self.entries.all().delete()])

    def writes(self, probe):
        ask = lambda: self.nearest(probe, "id", "title", "d")
        self.documents.create(id=90001, title="nearest", e=probe)
        self.search("search for what was inserted", REWRITE, ask, self.last)
        self.documents.filter(id=90001).update(title="renamed")
        self.search("search for what was updated", REWRITE, ask, self.last)
        self.documents.filter(id=90001).delete()
        self.search("search for what was deleted", REWRITE, ask, self.last)

    def errors(self, probe):
        for sql in FAILING:
            self.fails(f"error {sql}", self.rows, sql)
        self.fails("wrong dimension", lambda: list(self.nearest("[1,2,3]", "id", "d")))
        self.fails("violated", self.entries.create, id=1, amount=-1)
        with transaction.atomic():
            self.fails("error in a transaction", self.rows, "SELECT 1/0")
            self.fails("search in a failed transaction", lambda: list(self.nearest(probe, "id", "d")))
            transaction.set_rollback(True)
        self.search("search after errors", LOCAL, lambda: self.nearest(probe, "id", "d"), self.last)

    def large(self, probe):
        from_models = self.documents.order_by("id").iterator(chunk_size=100)
        self.note("iterator", [(found.pk, found.title) for found in from_models][::97])
        self.note("search by iterator", list(self.nearest(probe, "id", "d").iterator(chunk_size=2)))
        self.entries.bulk_create([self.entries.model(id=n, amount=n) for n in range(3000)], batch_size=500)
        self.note("bulk_create", [self.entries.aggregate(models.Sum("amount"), models.Count("pk")),
                                  self.entries.all().delete()])
        self.note("large", sum(len(row[1]) for row in self.rows(LARGE)))

    def play(self):
        self.note("connect", [connection.pg_version, connection.introspection.table_names()])
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, "ledger")
            self.note("introspected", [[c.name, c.null_ok, c.default] for c in columns])
        probes = [v for v, in self.rows("SELECT v FROM probes ORDER BY n")]
        self.searches(probes)
        self.transactions(probes[0])
        self.writes(probes[0])
        self.errors(probes[0])
        self.large(probes[0])
        connection.close()


if __name__ == "__main__":
    DjangoClient().play()
