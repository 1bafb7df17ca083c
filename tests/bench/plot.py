#!/usr/bin/env python3
"""Draws recall against searches/s from the points that `scripts/bench knn` leaves.

    plot.py POINTS PICTURE

POINTS: lines of set;clients;answer;engine;condition;ef_search;recall;searches/s.
"""

import csv
import sys
from collections import defaultdict

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402  (after the choice of backend)

LINES = {
    ("pgvector", "LOCAL"): ("pgvector", "tab:gray", "-"),
    ("veer", "LOCAL"): ("veer, LOCAL", "tab:blue", "-"),
    ("pgvector", "REWRITE"): ("pgvector, whole rows", "tab:gray", "--"),
    ("veer", "REWRITE"): ("veer, REWRITE", "tab:blue", "--"),
    ("hnswlib float32", "in process"): ("hnswlib float32, in process", "tab:orange", ":"),
    ("veer", "in process"): ("veer's index, in process", "tab:green", ":"),
}


def read(path):
    """{(set, clients): {(engine, answer): [(recall, searches/s)]}}"""
    panels = defaultdict(lambda: defaultdict(list))
    with open(path, newline="", encoding="utf-8") as file:
        for name, clients, answer, engine, condition, _, recall, rate in csv.reader(
            file, delimiter=";"
        ):
            if condition == "true":
                panels[name, int(clients)][engine, answer].append((float(recall), float(rate)))
    return panels


def main():
    points, picture = sys.argv[1:]
    panels = read(points)
    names = list(dict.fromkeys(name for name, _ in panels))
    clients = sorted({count for _, count in panels})
    figure, axes = plt.subplots(
        len(names), len(clients), figsize=(6 * len(clients), 4 * len(names)), squeeze=False
    )
    for row, name in enumerate(names):
        for column, count in enumerate(clients):
            axis = axes[row][column]
            for key, (label, colour, style) in LINES.items():
                line = sorted(panels[name, count].get(key, []))
                if line:
                    axis.plot(*zip(*line), label=label, color=colour, linestyle=style, marker=".")
            axis.set(
                title=f"{name}, {count} client{'s' if count > 1 else ''}",
                xlabel="recall@10",
                ylabel="searches/s",
                yscale="log",
            )
            axis.grid(alpha=0.3)
            axis.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    main()
