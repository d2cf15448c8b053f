"""A Llama in PyTorch: RMSNorm, rotary positions, grouped-query attention, SwiGLU.

Module names follow Hugging Face's Llama, so that the ONNX nodes carry the names
that users know from other exports (`/model/layers.0/self_attn/q_proj/MatMul`).
"""

import dataclasses
import math

import torch
from torch import nn
from torch.nn import functional


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes. `hidden` is no multiple of 64 on purpose: a last short group is the usual case."""

    vocabulary: int = 512
    width: int = 64
    hidden: int = 176
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    context: int = 256
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self):
        return self.width // self.heads


class RMSNorm(nn.Module):
    def __init__(self, width, epsilon):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x):
        variance = x.pow(2).mean(-1, keepdim=True)
        return self.weight * (x * torch.rsqrt(variance + self.epsilon))


def rotary_tables(positions, config):
    """cos and sin, [batch, 1, sequence, head width], for `positions` [batch, sequence]."""
    half = torch.arange(0, config.head_width, 2, dtype=torch.float32) / config.head_width
    angles = positions[:, :, None].float() * (1.0 / config.rope_base**half)
    angles = torch.cat((angles, angles), dim=-1)[:, None]
    return angles.cos(), angles.sin()


def rotate(x, tables):
    cos, sin = tables
    half = x.shape[-1] // 2
    turned = torch.cat((-x[..., half:], x[..., :half]), dim=-1)
    return x * cos + turned * sin


def repeat_heads(x, times):
    """[batch, kv heads, sequence, head width] with every head `times` times in a row."""
    batch, heads, sequence, width = x.shape
    x = x[:, :, None].expand(batch, heads, times, sequence, width)
    return x.reshape(batch, heads * times, sequence, width)


class Attention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        kv_width = config.kv_heads * config.head_width
        self.q_proj = nn.Linear(config.width, config.width, bias=False)
        self.k_proj = nn.Linear(config.width, kv_width, bias=False)
        self.v_proj = nn.Linear(config.width, kv_width, bias=False)
        self.o_proj = nn.Linear(config.width, config.width, bias=False)

    def forward(self, x, tables, mask, past):
        """`mask` is added to the scores; None means causal, by the fused operator that training uses."""
        batch, sequence, width = x.shape
        heads, head_width = self.config.heads, self.config.head_width

        def split(y):
            return y.view(batch, sequence, -1, head_width).transpose(1, 2)

        q = rotate(split(self.q_proj(x)), tables)
        k = rotate(split(self.k_proj(x)), tables)
        v = split(self.v_proj(x))
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        present = (k, v)
        times = heads // self.config.kv_heads
        k, v = repeat_heads(k, times), repeat_heads(v, times)
        if mask is None:
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(2, 3) / math.sqrt(head_width) + mask
            y = torch.softmax(scores, dim=-1) @ v
        return self.o_proj(y.transpose(1, 2).reshape(batch, sequence, width)), present


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.gate_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.up_proj = nn.Linear(config.width, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.width, bias=False)

    def forward(self, x):
        return self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.input_layernorm = RMSNorm(config.width, config.norm_epsilon)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.width, config.norm_epsilon)
        self.mlp = MLP(config)

    def forward(self, x, tables, mask, past):
        attended, present = self.self_attn(self.input_layernorm(x), tables, mask, past)
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), present


class Decoder(nn.Module):
    """Embedding, blocks and the final norm."""

    def __init__(self, config):
        super().__init__()
        self.embed_tokens = nn.Embedding(config.vocabulary, config.width)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.width, config.norm_epsilon)

    def forward(self, input_ids, tables, mask, past):
        x = self.embed_tokens(input_ids)
        presents = []
        for i, layer in enumerate(self.layers):
            x, present = layer(x, tables, mask, None if past is None else past[i])
            presents.append(present)
        return self.norm(x), presents


class Llama(nn.Module):
    """Tokens [batch, sequence] to logits [batch, sequence, vocabulary]."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.model = Decoder(config)
        self.lm_head = nn.Linear(config.width, config.vocabulary, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # Residual outputs start smaller, by the depth (Radford et al. 2019, GPT-2).
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(parameter, std=0.05 / (math.sqrt(2 * config.layers) if residual else 1.0))

    def forward(self, input_ids, mask=None):
        positions = torch.arange(input_ids.shape[1], device=input_ids.device)[None]
        hidden, _ = self.model(input_ids, rotary_tables(positions, self.config), mask, None)
        return self.lm_head(hidden)

    def forward_with_past(self, input_ids, position_ids, mask, past):
        """As `forward`, with keys and values of earlier tokens; returns logits and the new ones."""
        hidden, presents = self.model(input_ids, rotary_tables(position_ids, self.config), mask, past)
        return self.lm_head(hidden), presents


def negative_log_likelihood(logits, targets):
    """One value for each target, in nats: logits [..., vocabulary], targets [...]."""
    return functional.cross_entropy(logits.flatten(0, -2), targets.flatten().long(), reduction="none")


def perplexity(model, windows):
    """exp of the mean negative log-likelihood of columns 1.. given the columns before; int32 [windows, length]."""
    windows = torch.from_numpy(windows).long()
    with torch.no_grad():
        losses = [negative_log_likelihood(model(part[:, :-1]), part[:, 1:]) for part in windows.split(16)]
    return math.exp(torch.cat(losses).double().mean())


def load(checkpoint, kind=Llama):
    """The model, of class `kind`, that train.py has saved."""
    model = kind(Config(**checkpoint["config"]))
    model.load_state_dict(checkpoint["state"])
    return model.eval()
