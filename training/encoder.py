"""Teaches the sentence encoder of the second opinion, and writes it as the service reads it.

The lower layers of multilingual-e5-small (pretrained.py) with one linear head per output over the
mean of its tokens. Each row teaches the outputs that its corpus speaks of. Needs the extra
`teach-second-opinion`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from torch import nn
from transformers import BertModel

from moderation.second_opinion import ENCODER, OUTPUTS, VOCABULARY
from training import pretrained

F64 = npt.NDArray[np.float64]

_TOKENS = 64
_BATCH = 64
_SORTED_AT_ONCE = 60 * _BATCH
"""Rows that are sorted by length together, so that little is padded."""
_FROZEN_LAYERS = 3
"""The lowest of eight, and the embeddings: what is not taught costs no time, and words that no row
holds stay beside those that some do."""
_RATE, _HEAD_RATE = 8e-5, 1e-3
_WARM_UP = 150
_MISSPELT = 0.15


class Encoder(nn.Module):  # type: ignore[misc]  # an extra, unknown where it is not installed
    """Log-odds of OUTPUTS for texts, given as token ids."""

    def __init__(self, words: Tokenizer, body: BertModel) -> None:
        super().__init__()
        self.words, self.body = words, body
        self.words.enable_truncation(_TOKENS)
        self.words.enable_padding(pad_id=body.config.pad_token_id)
        self.heads = nn.Linear(self.body.config.hidden_size, len(OUTPUTS))
        for part in (self.body.embeddings, *self.body.encoder.layer[:_FROZEN_LAYERS]):
            part.requires_grad_(False)

    @classmethod
    def pretrained(cls, texts: Sequence[str]) -> Self:
        """Nothing taught yet, with words for folded texts like these."""
        words = pretrained.tokenizer(texts)
        return cls(words, pretrained.body(words))

    @classmethod
    def load(cls, checkpoint: Path) -> Self:
        """As it was saved."""
        saved = torch.load(checkpoint)
        words = Tokenizer.from_str(saved["words"])
        encoder = cls(words, BertModel(pretrained.config(words), add_pooling_layer=False))
        encoder.load_state_dict(saved["weights"])
        return encoder

    def save(self, checkpoint: Path) -> None:
        """To teach it further, or to measure it anew."""
        torch.save({"words": self.words.to_str(), "weights": self.state_dict()}, checkpoint)

    def forward(self, tokens: torch.Tensor, seen: torch.Tensor | None = None) -> torch.Tensor:
        """Log-odds, shape (texts, outputs); `seen` is 0 where a text is padded."""
        seen = torch.ones_like(tokens) if seen is None else seen
        states = self.body(input_ids=tokens, attention_mask=seen).last_hidden_state.float()
        mean = (states * seen[..., None]).sum(1) / seen.sum(1, keepdim=True)
        said: torch.Tensor = self.heads(mean)
        return said

    def read(self, texts: Sequence[str]) -> torch.Tensor:
        """Log-odds of a batch of texts, in training."""
        batch = self.words.encode_batch_fast([*texts])
        tokens = torch.tensor([one.ids for one in batch])
        seen = torch.tensor([one.attention_mask for one in batch])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            said: torch.Tensor = self(tokens, seen)
        return said.float()


def teach(
    encoder: Encoder,
    texts: Sequence[str],
    targets: F64,
    chances: F64,
    rows: int,
    *,
    seed: int = 0,
    report: Callable[[int], None] = lambda done: None,
) -> None:
    """Teaches `rows` of the texts, drawn once each by their chances, those of great chances first.

    `targets` has shape (texts, OUTPUTS): 1, 0, or NaN where the text doesn't say. The rate falls
    to nothing over the run.
    """
    draw, noise = np.random.default_rng(seed), random.Random(seed)
    torch.manual_seed(seed)
    # the order of a draw without replacement (Efraimidis and Spirakis 2006)
    order = np.argsort(draw.exponential(size=len(texts)) / np.maximum(chances, 1e-12))[:rows]
    told = torch.tensor(~np.isnan(targets), dtype=torch.float32)
    truth = torch.tensor(np.nan_to_num(targets), dtype=torch.float32)
    rates = (_RATE, _HEAD_RATE)
    taught = [weight for weight in encoder.body.parameters() if weight.requires_grad]
    groups = [{"params": taught}, {"params": [*encoder.heads.parameters()]}]
    optimiser = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    encoder.train()
    for step, batch in enumerate(_batches(order, texts, draw)):
        pace = min(step / _WARM_UP, 1.0) * max(0.0, 1 - step * _BATCH / len(order))
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * pace
        said = encoder.read([_misspelt(texts[i], noise) for i in batch])
        losses = nn.functional.binary_cross_entropy_with_logits(
            said, truth[batch], reduction="none"
        )
        loss = (losses * told[batch]).sum() / told[batch].sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(taught, 1.0)
        optimiser.step()
        report(len(batch))
    encoder.eval()


def export(encoder: Encoder, folder: Path) -> None:
    """Writes the encoder in eight bits, and its vocabulary."""
    whole = folder / "whole.onnx"
    torch.onnx.export(
        encoder.eval(),
        (torch.randint(1000, 2000, (1, 17)),),
        whole,
        input_names=["tokens"],
        output_names=["log_odds"],
        dynamic_axes={"tokens": {1: "length"}},
        opset_version=17,
        dynamo=False,
    )
    # one bit less, for processors whose eight-bit sums run over
    quantize_dynamic(
        whole, folder / ENCODER, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True
    )
    whole.unlink()
    encoder.words.no_padding()
    encoder.words.no_truncation()
    encoder.words.save(str(folder / VOCABULARY), pretty=False)


def _batches(order: Any, texts: Sequence[str], draw: np.random.Generator) -> Any:
    for start in range(0, len(order), _SORTED_AT_ONCE):
        some = sorted(order[start : start + _SORTED_AT_ONCE], key=lambda i: len(texts[i]))
        batches = [some[i : i + _BATCH] for i in range(0, len(some), _BATCH)]
        for number in draw.permutation(len(batches)):
            yield batches[number]


def _misspelt(text: str, noise: random.Random) -> str:
    """One text in a few as hasty or evasive writers put it."""
    if noise.random() > _MISSPELT:
        return text
    words = text.split(" ")
    for place, word in enumerate(words):
        if len(word) > 3 and noise.random() < 0.2:
            at = noise.randrange(1, len(word) - 1)
            begin, letter, end = word[:at], word[at], word[at + 1 :]
            words[place] = noise.choice(
                (
                    begin + end[:1] + letter + end[1:],
                    begin + end,
                    begin + letter * 2 + end,
                    f"{begin} {letter}{end}",
                    f"{begin}*{end}",
                )
            )
    return " ".join(words)
