import io

import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.tensorboard import SummaryWriter

from traindeck.trainers.mnist.pictures import captioned, confusion_figure, kernel_frame, write_animation


def test_captioned_images_stand_in_rows_of_one_picture():
    pictures = torch.zeros(9, 1, 28, 28, dtype=torch.uint8)
    picture = captioned(pictures, [str(index) for index in range(9)])
    assert (picture.dtype, picture.shape[0]) == (torch.uint8, 3)
    assert picture.shape[2] == 8 * captioned(pictures[:1], ["0"]).shape[2]
    assert picture.shape[1] == 2 * captioned(pictures[:1], ["0"]).shape[1]


def test_no_mistakes_at_all_still_make_a_picture():
    assert captioned(torch.zeros(0, 3, 8, 8, dtype=torch.uint8), []).shape[0] == 3


def test_a_kernel_frame_has_one_size_whatever_the_weights_are():
    kernels = torch.randn(10, 1, 3, 3)
    frame = kernel_frame(kernels)
    assert frame.dtype == torch.uint8
    for other in (torch.zeros_like(kernels), kernels * float("nan"), kernels.expand(-1, 3, -1, -1)):
        assert kernel_frame(other).shape == frame.shape


def test_a_weight_of_zero_is_grey_and_the_largest_is_white():
    frame = kernel_frame(torch.tensor([0.0, 1.0, -1.0]).reshape(1, 1, 1, 3))
    assert frame.unique().tolist() == [0, 128, 255]


def test_an_animation_has_every_frame_for_its_time_and_begins_again(tmp_path):
    frames = torch.stack([torch.full((3, 8, 12), value, dtype=torch.uint8) for value in (0, 128, 255)])
    with SummaryWriter(tmp_path) as writer:
        write_animation(writer, "Kernels", frames, 7, frame_seconds=0.5)
    reader = EventAccumulator(str(tmp_path)).Reload()
    (written,) = reader.Images("Kernels")
    gif = Image.open(io.BytesIO(written.encoded_image_string))
    assert (written.step, written.width, written.height, gif.size) == (7, 12, 8, (12, 8))
    assert (gif.n_frames, gif.info["duration"], gif.info["loop"]) == (3, 500, 0)
    assert [_brightness(gif, place) for place in range(3)] == [0, 128, 255]


def _brightness(gif, place):
    gif.seek(place)
    return gif.convert("L").getpixel((5, 5))


def test_a_confusion_figure_writes_its_counts_where_there_is_room():
    few = confusion_figure(torch.tensor([[3, 1], [0, 4]]), ["cat", "dog"])
    assert [text.get_text() for text in few.axes[0].texts] == ["3", "1", "4"]
    many = confusion_figure(torch.eye(60, dtype=torch.int64), [str(index) for index in range(60)])
    assert not many.axes[0].texts
