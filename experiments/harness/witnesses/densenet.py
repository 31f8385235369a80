"""Plain PyTorch: a DenseNet's training step and prediction. python densenet.py [24,24,24] 0.5 32"""

import json
import sys

import torch
from torch import nn
from torch.utils.benchmark import Timer

blocks, compression, batch = json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
device, run_s = ("cuda", 5) if torch.cuda.is_available() else ("cpu", 20)
MOVE = "images, labels = [part.to(device, non_blocking=True) for part in data]; "
TRAIN = "optimizer.zero_grad(); nn.functional.cross_entropy(net(images), labels).backward(); optimizer.step()"
PREDICT = "with torch.no_grad():\n    net(data[0].to(device, non_blocking=True)).argmax(1).cpu()"


class Layer(nn.Sequential):
    def forward(self, maps):
        return torch.cat([maps, super().forward(maps)], 1)


channels, size, parts = 48, 32, [nn.Conv2d(3, 48, 3, padding=1, bias=False)]
for number, layers in enumerate(blocks):
    if number:
        kept = int(compression * channels)
        parts += [nn.BatchNorm2d(channels), nn.Conv2d(channels, kept, 1, bias=False), nn.AvgPool2d(2, 2, 1)]
        channels, size = kept, size // 2 + 1
    for _ in range(layers):
        narrow = nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.Conv2d(channels, 96, 1)
        parts.append(Layer(*narrow, nn.BatchNorm2d(96), nn.ReLU(inplace=True), nn.Conv2d(96, 24, 3, padding=1)))
        channels += 24
parts += [nn.BatchNorm2d(channels), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten()]
net = nn.Sequential(*parts, nn.Linear(channels * (size // 2) ** 2, 10)).to(device)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
data = 2 * torch.rand(batch, 3, 32, 32) - 1, torch.randint(10, (batch,))
data = [part.pin_memory() if device == "cuda" else part for part in data]
timers = [Timer(code, globals=globals(), num_threads=torch.get_num_threads()) for code in (MOVE + TRAIN, PREDICT)]
steps = {"train_s": timers[0].blocked_autorange(min_run_time=run_s).median}
net.eval()
print(json.dumps({**steps, "predict_s": timers[1].blocked_autorange(min_run_time=run_s).median}))
