"""Trains models with Rehearsal and with scikit-learn on the same tables, and compares them."""
import json
import os
import re
import struct
import subprocess
import sys
import time
import warnings

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import OneHotEncoder, StandardScaler

warnings.filterwarnings("ignore")
PROGRAM, WORK, ROWS = sys.argv[1], sys.argv[2], int(sys.argv[3])
LABEL = "label_needs_moderation_24h"
FEATURES = [
    "time_since_upload_seconds", "hour_of_day", "day_of_week", "is_weekend", "views_5min",
    "views_1hr", "comments_5min", "comments_1hr", "flags_5min", "flags_1hr", "total_flags",
    "view_velocity_per_min", "comment_to_view_ratio", "recent_engagement_score",
    "caption_length", "has_caption", "user_image_count", "user_age_days",
]
CATEGORICAL = ["is_weekend", "has_caption", "category"]
NUMERIC = [name for name in FEATURES if name not in CATEGORICAL]
FOOD = [
    "Bread", "Dairy product", "Dessert", "Egg", "Fried food", "Meat", "Noodles/Pasta", "Rice",
    "Seafood", "Soup", "Vegetable/Fruit",
]


def rows(rng, count, food=FOOD, rate=0.3, constant=False):
    """A batch in the shape of moderation.training_data, with a label that features hint at."""
    views = rng.poisson(20, count)
    comments = rng.poisson(3, count)
    flags = rng.poisson(0.4, count)
    columns = {
        "image_id": [f"{i:08x}-0000-4000-8000-000000000000" for i in range(count)],
        "decision_point_minutes": rng.choice([0, 5, 30], count),
        "time_since_upload_seconds": rng.choice([0, 300, 1800], count),
        "hour_of_day": rng.integers(0, 24, count),
        "day_of_week": rng.integers(0, 7, count),
        "is_weekend": rng.integers(0, 2, count),
        "views_5min": views // 4,
        "views_1hr": np.full(count, 7) if constant else views,
        "comments_5min": comments // 2,
        "comments_1hr": comments,
        "flags_5min": flags // 2,
        "flags_1hr": flags,
        "total_flags": flags,
        "view_velocity_per_min": (views // 4) / 5,
        "comment_to_view_ratio": comments / np.maximum(views, 1),
        "recent_engagement_score": views // 4 + 5.0 * (comments // 2),
        "caption_length": rng.integers(0, 200, count),
        "has_caption": rng.integers(0, 2, count),
        "user_image_count": rng.integers(1, 40, count),
        "user_age_days": rng.integers(0, 3000, count),
        "category": rng.choice(food, count),
    }
    score = flags * 0.5 + rng.random(count)
    columns[LABEL] = (score > np.quantile(score, 1 - rate)).astype(int)
    fields = []
    for name, values in columns.items():
        kind = pa.string() if name in ("image_id", "category") else pa.int64()
        if np.asarray(values).dtype.kind == "f":
            kind = pa.float64()
        fields.append(pa.field(name, kind))
    return pa.table(columns, schema=pa.schema(fields))


def cases():
    rng = np.random.default_rng(51)
    yield "plain", [rows(rng, 2000)]
    yield "imbalanced, 3 batches", [rows(rng, 4000, rate=0.02) for _ in range(3)]
    yield "constant column", [rows(rng, 900, constant=True) for _ in range(2)]
    yield "unseen category", [rows(rng, 500, FOOD[:4]), rows(rng, 500, FOOD)]
    yield "one row", [rows(rng, 1)]
    yield "100 batches of 50", [rows(rng, 50) for _ in range(100)]
    # More than a scanner gives at a time.
    yield "one row group of 300000", [rows(rng, 300_000)]


def write(catalog, name, batches):
    """One file whose row groups are the batches: the same order for every reader."""
    table = catalog.create_table(
        f"ml.{name}", schema=batches[0].schema,
        properties={"write.parquet.row-group-limit": str(max(len(b) for b in batches))})
    table.append(pa.concat_tables(batches))
    return table


def prepared(frame, scaler, encoder):
    names = frame[CATEGORICAL].astype(str).to_numpy()
    return np.hstack([scaler.transform(frame[NUMERIC].to_numpy()), encoder.transform(names)])


def learn(batches):
    """The notebook's way: scaler and encoder by the first batch, then partial_fit per batch."""
    scaler, encoder = StandardScaler(), OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    model = SGDClassifier(loss="log_loss", random_state=42)
    for index, batch in enumerate(batches):
        frame = batch.to_pandas()
        if index == 0:
            scaler.fit(frame[NUMERIC].to_numpy())
            encoder.fit(frame[CATEGORICAL].astype(str).to_numpy())
        model.partial_fit(prepared(frame, scaler, encoder), frame[LABEL], classes=[0, 1])
    return scaler, encoder, model


def train(name, catalog_file, *options):
    out = os.path.join(WORK, "models", name)
    text = subprocess.run(
        [PROGRAM, "train", "--catalog", f"sqlite:{catalog_file}", "--table", f"ml.{name}",
         "--mode", "lab", "--out", out, *options],
        check=True, capture_output=True, text=True).stdout
    return out, text


def predict(out, name, catalog_file):
    """What the program says of each row of a table."""
    text = subprocess.run(
        [PROGRAM, "predict", out, "--catalog", f"sqlite:{catalog_file}", "--table", f"ml.{name}",
         "--format", "csv"], check=True, capture_output=True, text=True).stdout
    return [float(line.rsplit(",", 1)[1]) for line in text.splitlines()[1:]]


def artifacts(out):
    """The bytes of a model's files."""
    contents = []
    for name in ["model.json", "model.onnx", "metadata.json"]:
        with open(f"{out}/{name}", "rb") as file:
            contents.append(file.read())
    return contents


def bits(values):
    return [struct.pack("<d", value) for value in np.asarray(values, dtype=float).ravel()]


def numbers(model, names):
    """Our values in scikit-learn's order of features."""
    return [model[name] for name in names]


def compare(name, batches, catalog_file):
    scaler, encoder, model = learn(batches)
    out, _ = train(name, catalog_file)
    with open(f"{out}/model.json") as file:
        ours = json.load(file)
    order = NUMERIC + list(encoder.get_feature_names_out(CATEGORICAL))
    weights = ours["weights"]
    differing = sum(
        a != b for a, b in zip(bits(numbers(weights, order)), bits(model.coef_)))
    differing += len(weights) != len(order)
    differing += bits([ours["intercept"]]) != bits(model.intercept_)
    found = scaling(ours)
    differing += sum(a != b for a, b in zip(bits(found[0]), bits(scaler.mean_)))
    differing += sum(a != b for a, b in zip(bits(found[1]), bits(scaler.scale_)))

    frame = pa.concat_tables(batches).to_pandas()
    wanted = model.predict_proba(prepared(frame, scaler, encoder))[:, 1]
    onnx.checker.check_model(onnx.load(f"{out}/model.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(
        f"{out}/model.onnx", providers=["CPUExecutionProvider"])
    seen = session.run(["probability"], {
        "numeric": frame[NUMERIC].to_numpy().astype(float),
        "categorical": frame[CATEGORICAL].astype(str).to_numpy().astype(object),
    })[0].ravel()
    distance = float(np.max(np.abs(seen - wanted)))
    given = float(np.max(np.abs(np.array(predict(out, name, catalog_file)) - wanted)))
    first = artifacts(out)
    train(name, catalog_file)
    same = first == artifacts(out)
    ok = differing == 0 and distance < 1e-6 and given < 1e-12 and same
    print(f"{'ok  ' if ok else 'FAIL'} {name:24} {len(frame):8} rows {len(batches):4} batches  "
          f"{differing} of {2 * len(NUMERIC) + len(order) + 1} numbers differ, "
          f"probabilities {given:.1e}, onnxruntime {distance:.1e}"
          f"{'' if same else ', another model the second time'}")
    return ok


def scaling(ours):
    """Means and scales in the order of NUMERIC."""
    assert ours["numeric_features"] == NUMERIC
    return ours["means"], ours["scales"]


def speed(catalog, catalog_file):
    rng = np.random.default_rng(7)
    batches = [rows(rng, 100_000) for _ in range(max(1, ROWS // 100_000))]
    table = write(catalog, "million", batches)
    count = sum(len(b) for b in batches)
    best = 0
    for _ in range(3):
        start = time.perf_counter()
        train("million", catalog_file)
        best = max(best, count / (time.perf_counter() - start))
    theirs = 0
    for _ in range(2):
        start = time.perf_counter()
        learn(catalog.load_table("ml.million").scan().to_arrow_batch_reader())
        theirs = max(theirs, count / (time.perf_counter() - start))
    ok = best >= 3 * theirs
    print(f"{'ok  ' if ok else 'FAIL'} {count} rows: {best:,.0f} rows/s, process start included; "
          f"the notebook's way {theirs:,.0f} rows/s; {best / theirs:.1f}x")
    return ok


# Runs a command and prints the most memory that it had, in KB; a small process of its own, since
# a child begins with its parent's.
MEASURE = """import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"""
BOUND_MB = 300


def memory(catalog, catalog_file):
    """The same rows in one row group: memory is a batch's, not the row group's."""
    rng = np.random.default_rng(7)
    write(catalog, "one_group", [pa.concat_tables(
        [rows(rng, 100_000) for _ in range(max(1, ROWS // 100_000))])])
    peaks = []
    for mode, epochs in [("lab", 1), ("standard", 2)]:
        text = subprocess.run(
            [sys.executable, "-c", MEASURE, PROGRAM, "train", "--catalog",
             f"sqlite:{catalog_file}", "--table", "ml.one_group", "--mode", mode, "--epochs",
             str(epochs), "--out", os.path.join(WORK, "models", "one_group")],
            check=True, capture_output=True, text=True).stdout
        peaks.append(int(text) / 1024)
    ok = max(peaks) < BOUND_MB
    print(f"{'ok  ' if ok else 'FAIL'} {ROWS} rows in one row group: peak {peaks[0]:.0f} MB (lab), "
          f"{peaks[1]:.0f} MB (standard), at most {BOUND_MB}")
    return ok


def main():
    catalog_file = f"{WORK}/catalog.db"
    catalog = SqlCatalog(
        "rehearsal", uri=f"sqlite:///{catalog_file}", warehouse=f"file://{WORK}/warehouse")
    catalog.create_namespace("ml")
    passed = True
    for name, batches in cases():
        key = re.sub(r"\W+", "_", name)
        table = write(catalog, key, batches)
        given = [pa.Table.from_batches([b]) for b in table.scan().to_arrow_batch_reader()]
        passed &= compare(key, given, catalog_file)
    passed &= speed(catalog, catalog_file)
    passed &= memory(catalog, catalog_file)
    sys.exit(0 if passed else 1)


main()
