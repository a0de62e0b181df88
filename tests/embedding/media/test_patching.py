import pytest
from PIL import Image

from sidecar.embedding.media.attention import AttentionModel
from sidecar.embedding.media.decoding import DecodedImage
from sidecar.embedding.media.patching import PatchMethod, check_patch_method, cut, grid, parse_patch_method
from sidecar.errors import InvalidArgument


@pytest.mark.parametrize(
    ("method", "parsed"),
    [
        (None, None),
        ("", None),
        ("none", None),
        ("simple", PatchMethod("simple", 3, 3)),
        ("simple?hn=2&wn=5", PatchMethod("simple", 2, 5)),
        ("overlap?wn=16", PatchMethod("overlap", 3, 16)),
        ("dino-v1", PatchMethod("dino-v1")),
        ("dino-v2?", PatchMethod("dino-v2")),
    ],
)
def test_parse_patch_method_reads_name_and_options(method: str | None, parsed: PatchMethod | None) -> None:
    assert parse_patch_method(method) == parsed


@pytest.mark.parametrize(
    ("method", "told"),
    [
        ("frcnn", "object detector"),
        ("yolox", "object detector"),
        ("marqo-yolo", "object detector"),
        ("marqo-yolo?hn=2", "object detector"),
        ("grid", "'grid' is not known. Use one of 'simple', 'overlap', 'dino-v1', 'dino-v2'"),
        ("Simple", "not known"),
        ("?hn=3", "not known"),
        ("simple?hn=0", "1 to 16, it is '0'"),
        ("simple?hn=17", "1 to 16"),
        ("simple?wn=-1", "1 to 16"),
        ("simple?wn=2.5", "1 to 16"),
        ("simple?wn=", "1 to 16"),
        ("simple?hn=²", "1 to 16"),
        ("simple?n=3", "not 'n'"),
        ("overlap?hn", "1 to 16"),
        ("dino-v1?hn=3", "no options"),
    ],
)
def test_check_patch_method_tells_what_an_index_can_not_have(method: str, told: str) -> None:
    with pytest.raises(InvalidArgument, match="patch_method") as refused:
        check_patch_method(method)
    assert told in refused.value.message


def test_grid_goes_row_by_row() -> None:
    assert grid(2, 3, with_shifted=False) == [
        (0, 0, 80, 120),
        (80, 0, 160, 120),
        (160, 0, 240, 120),
        (0, 120, 80, 240),
        (80, 120, 160, 240),
        (160, 120, 240, 240),
    ]


def test_grid_puts_a_shifted_box_behind_each_where_there_is_room() -> None:
    assert grid(2, 2, with_shifted=True) == [
        (0, 0, 120, 120),
        (60, 60, 180, 180),
        (120, 0, 240, 120),
        (0, 120, 120, 240),
        (120, 120, 240, 240),
    ]
    assert grid(1, 1, with_shifted=True) == [(0, 0, 240, 240)]
    assert len(grid(3, 3, with_shifted=True)) == 9 + 4


def test_grid_keeps_inside_the_image_for_every_number_of_cells() -> None:
    for rows in range(1, 17):
        for columns in range(1, 17):
            boxes = grid(rows, columns, with_shifted=True)
            assert len(grid(rows, columns, with_shifted=False)) == rows * columns
            assert all(0 <= x1 < x2 <= 240 and 0 <= y1 < y2 <= 240 for x1, y1, x2, y2 in boxes)


def test_cut_gives_the_whole_image_then_its_parts_with_boxes_in_the_files_pixels() -> None:
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]
    image = Image.new("RGB", (600, 200))
    for number, colour in enumerate(colours):
        image.paste(colour, (number % 2 * 300, number // 2 * 100, number % 2 * 300 + 300, number // 2 * 100 + 100))
    # A file of 1200x400 of which a JPEG draft has half the size.
    parts = cut(DecodedImage(image, 1200, 400), PatchMethod("simple", 2, 2), AttentionModel())
    assert [box for _, box in parts] == [
        (0.0, 0.0, 1200.0, 400.0),
        (0.0, 0.0, 600.0, 200.0),
        (600.0, 0.0, 1200.0, 200.0),
        (0.0, 200.0, 600.0, 400.0),
        (600.0, 200.0, 1200.0, 400.0),
    ]
    assert [part.size for part, _ in parts] == [(240, 240)] + [(120, 120)] * 4
    assert [part.getpixel((60, 60)) for part, _ in parts[1:]] == colours
    assert all(isinstance(side, float) for _, box in parts for side in box)
