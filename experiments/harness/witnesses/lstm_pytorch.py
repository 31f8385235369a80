"""Plain PyTorch: an LSTM net's training step and prediction. python lstm_pytorch.py UNITS WINDOW [bidirectional]."""

import json
import sys

import torch
from torch import nn
from torch.utils.benchmark import Timer

units, window, both_ways = int(sys.argv[1]), int(sys.argv[2]), "bidirectional" in sys.argv
device = "cuda" if torch.cuda.is_available() else "cpu"
MOVE = "windows, wanted = [part.to(device, non_blocking=True) for part in batch]; "
TRAIN = "optimizer.zero_grad(); nn.functional.mse_loss(net(windows), wanted).backward(); optimizer.step()"
PREDICT = "with torch.no_grad():\n    net(batch[0].to(device, non_blocking=True)).cpu()"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, units, num_layers=2, batch_first=True, bidirectional=both_ways)
        self.linear = nn.Linear(units * (1 + both_ways), 1)

    def forward(self, windows):
        states = self.lstm(windows)[1][0]
        return self.linear(torch.cat([states[-2], states[-1]], 1) if both_ways else states[-1])


net = Net().to(device)
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)
series = torch.randn(2_000_000 if both_ways else 144, dtype=torch.float64).float()  # as long as the data set
windows = series.unfold(0, window + 1, 1)[:32, :, None]
batch = [part.clone() for part in (windows[:, :window], windows[:, window])]
batch = [part.pin_memory() for part in batch] if device == "cuda" else batch
timers = [Timer(code, globals=globals(), num_threads=torch.get_num_threads()) for code in (MOVE + TRAIN, PREDICT)]
timers[0].timeit(100)
steps = {"train_s": timers[0].blocked_autorange(min_run_time=5).median}
net.eval()
print(json.dumps({**steps, "predict_s": timers[1].blocked_autorange(min_run_time=5).median}))
