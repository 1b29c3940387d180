"""The training steps of steps.ts in PyTorch on one thread, timed by hand: python bench/wasm/pytorch.py > bench/results/wasm-pytorch.json"""

import json
import platform
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(1)


def cnn():
    parts, channels = [], 1
    for filters in (16, 32, 64):
        parts += [nn.Conv2d(channels, filters, 3, padding="same", bias=False), nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU(), nn.MaxPool2d(2)]
        channels = filters
    model = nn.Sequential(*parts, nn.Flatten(), nn.Linear(576, 10))
    x, y = torch.randn(64, 1, 28, 28), (torch.arange(64) * 7) % 10
    return model, lambda: F.cross_entropy(model(x), y)


BATCH, TOKENS, WIDTH, HEADS, VOCABULARY = 16, 64, 128, 4, 256


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(2))
        self.projections = nn.ModuleList(nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(4))
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.down = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x):
        normed = self.norms[0](x)
        q, k, v = (p(normed).view(BATCH, TOKENS, HEADS, WIDTH // HEADS).transpose(1, 2) for p in self.projections[:3])
        mixed = torch.softmax(q @ k.transpose(-1, -2) * (HEADS / WIDTH) ** 0.5, -1) @ v
        x = x + self.projections[3](mixed.transpose(1, 2).reshape(BATCH * TOKENS, WIDTH))
        return x + self.down(torch.relu(self.up(self.norms[1](x))))


def transformer():
    model = nn.Sequential(
        nn.Embedding(VOCABULARY, WIDTH), *(Block() for _ in range(4)), nn.Linear(WIDTH, VOCABULARY, bias=False)
    )
    i = torch.arange(BATCH * TOKENS)
    ids, y = (i * i + 3 * i) % VOCABULARY, (i * 7) % VOCABULARY
    return model, lambda: F.cross_entropy(model(ids), y)


def lstm():
    model, head = nn.LSTM(32, 64, batch_first=True), nn.Linear(64, 10)
    x, y = torch.randn(32, 32, 32), (torch.arange(32) * 7) % 10
    return nn.ModuleList([model, head]), lambda: F.cross_entropy(head(model(x)[0][:, -1]), y)


def timed(make):
    model, loss = make()
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    times = []
    for _ in range(60):
        start = time.perf_counter()
        optimizer.zero_grad()
        value = loss()
        value.backward()
        optimizer.step()
        value.item()
        times.append(1000 * (time.perf_counter() - start))
    return {"median": statistics.median(times[15:]), "best": min(times[15:])}


steps = {"CNN": timed(cnn), "transformer": timed(transformer), "LSTM": timed(lstm)}
print(json.dumps({"torch": torch.__version__, "python": platform.python_version(), "threads": 1, "steps": steps}, indent=2))
