"""Plain PyTorch: an LSTM net's training step and prediction. python lstm_pytorch.py UNITS WINDOW [bidirectional]."""

import json
import sys

import torch
from torch import nn
from torch.utils.benchmark import Timer

units, window, both_ways = int(sys.argv[1]), int(sys.argv[2]), "bidirectional" in sys.argv
TRAIN = "optimizer.zero_grad(); nn.functional.mse_loss(net(inputs), targets).backward(); optimizer.step()"
PREDICT = "with torch.no_grad():\n    net(inputs)"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, units, num_layers=2, batch_first=True, bidirectional=both_ways)
        self.linear = nn.Linear(units * (1 + both_ways), 1)

    def forward(self, windows):
        states = self.lstm(windows)[1][0]
        return self.linear(torch.cat([states[-2], states[-1]], 1) if both_ways else states[-1])


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
inputs, targets = torch.randn(32, window, 1), torch.randn(32, 1)
timers = [Timer(code, globals=globals(), num_threads=torch.get_num_threads()) for code in (TRAIN, PREDICT)]
timers[0].timeit(100)
steps = {"train_s": timers[0].blocked_autorange(min_run_time=5).median}
net.eval()
print(json.dumps({**steps, "predict_s": timers[1].blocked_autorange(min_run_time=5).median}))
