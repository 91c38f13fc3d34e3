from torch.utils.tensorboard import SummaryWriter

from traindeck.runner.progress import read_progress
from traindeck.trainers.context import RunContext
from traindeck.trainers.tour import TourParams
from traindeck.trainers.tour.visit import run
from trainers.eventfiles import read_events

SHORTCUTS = {
    "add_hparams": "the same summaries, in a folder of their own",
    "add_custom_scalars_multilinechart": "the same layout as add_custom_scalars",
    "add_custom_scalars_marginchart": "the same layout as add_custom_scalars",
    "add_onnx_graph": "another way to the same graph tab",
}


def test_a_tour_writes_every_kind_of_summary_for_tensorboard_to_read(make_context):
    ctx = make_context()
    run(ctx, TourParams(steps=4, seconds=0))
    ctx.close()
    logs = ctx.work / "logs"
    events = read_events(logs)
    assert set(events.images) == {"Image", "Images", "Image with boxes", "Figure", "Video"}
    assert events.audio == {"Tone"}
    assert events.histograms == {"Histogram", "Histogram from bins"}
    assert {"Tensor", "Text/text_summary", "Mesh_VERTEX", "Mesh_FACE", "Mesh_COLOR"} <= events.tensors
    assert {"Precision and recall", "Precision and recall from counts"} <= events.tensors
    assert {"custom_scalars__config__", "_hparams_/session_start_info"} <= events.plugins
    assert events.has_graph
    assert [step for step, _ in events.scalars["Loss/tour"]] == [0, 1, 2, 3]
    assert read_events(logs / "Loss of both_train").scalars["Loss of both"]
    assert {path.parent.parent.name for path in logs.glob("*/Clusters/sprite.png")} == {"00000", "00002"}


def test_a_tour_calls_every_method_that_a_summary_writer_has_for_adding(make_context, monkeypatch):
    called = set()
    methods = {name for name in dir(SummaryWriter) if name.startswith("add_")}
    for name in methods:
        monkeypatch.setattr(SummaryWriter, name, _recording(called, name, getattr(SummaryWriter, name)))
    run(make_context(), TourParams(steps=2, seconds=0))
    assert methods - called == set(SHORTCUTS)


def _recording(called, name, method):
    def record(*arguments, **options):
        called.add(name)
        return method(*arguments, **options)

    return record


def test_a_tour_tells_how_far_it_is(make_context):
    ctx = make_context()
    run(ctx, TourParams(steps=3, seconds=0))
    progress = read_progress(ctx.work / "progress.json")
    assert (progress.step, progress.total) == (3, 3)


def test_a_tour_that_is_asked_to_stop_does_so_at_once(make_context):
    class Impatient(RunContext):
        def progress(self, *arguments: object, **options: object) -> None:
            self.request_stop()

    ctx = make_context(kind=Impatient)
    run(ctx, TourParams(steps=1000, seconds=3600))
    ctx.close()
    assert len(read_events(ctx.work / "logs").scalars["Loss/tour"]) == 1
