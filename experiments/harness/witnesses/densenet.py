"""Plain PyTorch: a DenseNet's training step and prediction. python densenet.py [24,24,24] 0.5 32"""

import json
import sys

import torch
from torch import nn
from torch.utils.benchmark import Timer

blocks, compression, batch = json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
TRAIN = "optimizer.zero_grad(); nn.functional.cross_entropy(net(images), labels).backward(); optimizer.step()"
PREDICT = "with torch.no_grad():\n    net(images).argmax(1)"


class Layer(nn.Sequential):
    def forward(self, maps):
        return torch.cat([maps, super().forward(maps)], 1)


def norm(channels):
    return nn.BatchNorm2d(channels), nn.ReLU(inplace=True)


channels, size, parts = 48, 32, [nn.Conv2d(3, 48, 3, padding=1, bias=False)]
for number, layers in enumerate(blocks):
    if number:
        kept = int(compression * channels)
        parts += [nn.BatchNorm2d(channels), nn.Conv2d(channels, kept, 1, bias=False), nn.AvgPool2d(2, 2, 1)]
        channels, size = kept, size // 2 + 1
    for _ in range(layers):
        parts.append(Layer(*norm(channels), nn.Conv2d(channels, 96, 1), *norm(96), nn.Conv2d(96, 24, 3, padding=1)))
        channels += 24
parts += [*norm(channels), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(channels * (size // 2) ** 2, 10)]
net = nn.Sequential(*parts)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
images, labels = 2 * torch.rand(batch, 3, 32, 32) - 1, torch.randint(10, (batch,))
timers = [Timer(code, globals=globals(), num_threads=torch.get_num_threads()) for code in (TRAIN, PREDICT)]
steps = {"train_s": timers[0].blocked_autorange(min_run_time=20).median}
net.eval()
print(json.dumps({**steps, "predict_s": timers[1].blocked_autorange(min_run_time=20).median}))
