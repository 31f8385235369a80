"""Why there is no figure: key of a reason -> its sentence (see ``REASONS`` in runners/contract.py)."""

from __future__ import annotations

from report.text import N_

REASONS = {
    "text": N_("{text}"),  # of a record from before reasons had keys
    "device-not-offered": N_("{framework} does not run on the {device}"),
    "time-limit": N_("stopped at the time limit of {seconds} s"),
    "killed": N_("the process was killed by {signal}"),
    "killed-for-memory": N_("killed by the out-of-memory killer ({signal})"),
    "no-result": N_("the process ended with exit status {exit_status} and no result"),
    "malformed-output": N_("the process printed something that is no result: {text}"),
    "malformed-record": N_("the process returned an unusable result"),
    "exception": N_("{type}: {message}"),
    "loss-not-finite": N_("the training loss was not finite"),
    "loss-not-falling": N_("the training loss did not fall ({first} at first, {last} at the end)"),
    "parameters-unchanged": N_("training did not change the parameters"),
    "disturbed": N_(
        "other programs or the host took {percent} % of the processors; another process of the round counts"
    ),
    "not-synchronized": N_(
        "twice the work took {ratio} times as long, not 1.7 to 2.3 times: synchronization is not proven"
    ),
    "synthetic-data": N_("the data are synthetic, so a loss or accuracy would mean nothing"),
    "outputs-differ": N_("the outputs differ by {difference}, more than {tolerance}"),
    "repeat-failed": N_("{side} failed when it was run again: {reason}"),
    "not-the-same-net": N_("{quantity}: {difference} from the reference in {precision}, more than {tolerance}"),
    "other-parameters": N_("the parameters are not those of the description: {names}"),
    "data-missing": N_("the data file {file} is missing"),
    "data-damaged": N_("the data file {file} does not match its checksum"),
    "gpu-not-visible": N_("{framework} {version} sees no GPU"),
    "gpu-unusable": N_("{framework} {version} cannot use the GPU: {message}"),
    "build-without-gpu": N_("{framework} {version} is a CPU-only build"),
    "build-without-gpu-code": N_(
        "{framework} {version} has no code for {gpu} (compute capability {capability}); it was built for {built_for}"
    ),
    "option-missing": N_("{framework} {version} has no {option}"),
    "option-automatic": N_("{framework} {version} already chooses {option} by itself"),
    "compiler-missing": N_("no {language} compiler was found ({compilers})"),
    "loss-diverged": N_(
        "training diverged: loss {loss} in epoch {epoch}, batch {batch}, at learning rate {learning_rate}"
    ),
    "checkpoint-damaged": N_("the checkpoint {file} is damaged"),
    "full-profile-only": N_("trained only in profile full, which takes hours on a GPU (DEVICE=gpu PROFILE=full)"),
    # of `make eras` (erabench/eras/engine.py)
    "python-missing": N_("there is no Python {version} on this machine"),
    "environment-failed": N_("its packages could not be installed: {text}"),
    # of a fleet's cells (fleet/results/missing.py)
    "cell-failed": N_("the job on the node failed: {text}"),
    "cell-time-limit": N_("the job reached its time limit: {text}"),
    "cell-out-of-memory": N_("the job ran out of memory: {text}"),
    "cell-stopped": N_("the job was stopped: {text}"),
    "cell-lost": N_("the job was lost: {text}"),
    "cell-refused": N_("the scheduler refused the job: {text}"),
    "too-slow-on-cpu": N_("one epoch has {batches} training steps, days on a CPU (use DEVICE=gpu PROFILE=full)"),
    "only-timed": N_("only timed: the row {row} trains this net"),
}
