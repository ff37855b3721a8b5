"""TensorBoard reads what a run wrote: tensorboard_events.py RUN [IMAGES]

IMAGES: the directory that the run learnt from, of PNG files in a directory for each class.
"""
import base64
import io
import json
import pathlib
import sys

import numpy
import PIL.Image
from safetensors.numpy import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

run = pathlib.Path(sys.argv[1])
events = EventAccumulator(str(run / "tensorboard"), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0, "images": 0})
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



def pixels(png):
    return numpy.asarray(PIL.Image.open(io.BytesIO(png)))


def tiles(event, width):
    """The images of a strip, which are two pixels apart."""
    strip = pixels(event.encoded_image_string)
    assert strip.shape[:2] == (event.height, event.width), strip.shape
    count = (event.width + 2) // (width + 2)
    assert count * (width + 2) - 2 == event.width, (event.width, width)
    return [strip[:, i * (width + 2):i * (width + 2) + width] for i in range(count)]


def check_images(directory):
    tags = events.Tags()["images"]
    shown = 0
    for folder in sorted(p for p in directory.iterdir() if p.is_dir()):
        # What the recipe varies is a mirror at the most.
        files = [pixels(p.read_bytes()) for p in folder.glob("*.png")]
        known = {image.tobytes() for image in files} | {image[:, ::-1].tobytes() for image in files}
        [event] = events.Images(f"training/{folder.name}")
        assert event.step == 0
        for tile in tiles(event, files[0].shape[1]):
            assert tile.tobytes() in known, f"{folder.name}: not one of its images"
            shown += 1
    examples = json.loads((run / "report.json").read_text())["examples"]["wrong"]
    wrong = {}
    for e in examples:
        wrong.setdefault(f"wrong/{e['predicted']}, not {e['actual']}", []).append(pixels(base64.b64decode(e["input"]["image"])))
    assert wrong, "this run was to err somewhere"
    assert set(wrong) == {t for t in tags if t.startswith("wrong/")}, tags
    for tag, images in wrong.items():
        [event] = events.Images(tag)
        for tile, image in zip(tiles(event, images[0].shape[1]), images, strict=True):
            numpy.testing.assert_array_equal(tile, image)
            shown += 1
    return shown


images = check_images(pathlib.Path(sys.argv[2])) if len(sys.argv) > 2 else 0

recipe = events.Tensors("recipe")[0].tensor_proto.string_val[0].decode()
assert "train:" in recipe, recipe[:200]
start = plugin_data_pb2.HParamsPluginData.FromString(events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
assert start.session_start_info.hparams["train.batch_size"].number_value > 0
print(f"interop: tensorboard: {len(events.Tags()['scalars'])} scalars, {len(events.Tags()['histograms'])} histograms, {images} images, "
      "text and hyperparameters read back")
