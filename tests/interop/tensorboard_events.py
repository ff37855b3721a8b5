"""TensorBoard reads what a run wrote: tensorboard_events.py RUN"""
import json
import pathlib
import sys

import numpy
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

run = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
events.Reload()
metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def expect(name, key):
    got = [(e.step, e.value) for e in events.Scalars(name)]
    wanted = [(m["step"], float(numpy.float32(m[key]))) for m in metrics]
    assert got == wanted, (name, got[:3], wanted[:3])


expect("loss/validation", "validation_loss")
expect("accuracy/validation", "validation_accuracy")
steps = [e.step for e in events.Scalars("loss/train")]
assert steps == list(range(10, metrics[-1]["step"] + 1, 10)), steps

last = load_file(run / "checkpoints" / "last.safetensors")
for tag in [t for t in events.Tags()["histograms"] if t.startswith("weights/")]:
    weights = last[tag.removeprefix("weights/")].astype(numpy.float64)
    histogram = events.Histograms(tag)[-1].histogram_value
    assert histogram.num == weights.size and sum(histogram.bucket) == weights.size, tag
    assert histogram.min == weights.min() and histogram.max == weights.max(), tag
    numpy.testing.assert_allclose(histogram.sum, weights.sum(), rtol=1e-9)
    for value in weights.ravel():
        # Every weight lies below the limit of a bucket that has counts.
        bucket = numpy.searchsorted(histogram.bucket_limit, value, side="right")
        assert histogram.bucket[min(bucket, len(histogram.bucket) - 1)] > 0, (tag, value)
assert any(t.startswith("gradients/") for t in events.Tags()["histograms"])

recipe = events.Tensors("recipe")[0].tensor_proto.string_val[0].decode()
assert "train:" in recipe, recipe[:200]
start = plugin_data_pb2.HParamsPluginData.FromString(events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
assert start.session_start_info.hparams["train.batch_size"].number_value > 0
print(f"interop: tensorboard: {len(events.Tags()['scalars'])} scalars, {len(events.Tags()['histograms'])} histograms, text and "
      "hyperparameters read back")
