"""One suspected cause of a change between two years, turned on or off: times a step of the LSTM in this environment.

    python -m experiments.era_cases keras "graph mode"
    python -m experiments.era_cases pytorch "without oneDNN"

Prints JSON: milliseconds per training step and per prediction (medians), and what one training step ran: its ten
longest operations with their count. Runs in the environments of all years; `experiments.era_causes` calls it.
"""

import argparse
import json
import sys
import time
from collections import defaultdict

import numpy as np

UNITS, WINDOW, BATCH = 64, 12, 32  # of the row lstm
WARM_UP, STEPS = 20, 150
OPERATIONS = 10
SKIPPED = 3  # exit status of a case that does not exist in this version

random = np.random.RandomState(1)
INPUTS = random.rand(BATCH, WINDOW, 1).astype("float32")
TARGETS = random.rand(BATCH, 1).astype("float32")


class Impossible(Exception):
    """The case does not exist in this version."""


def median_ms(step):
    """The median time of ``step()`` in milliseconds."""
    seconds = []
    for _ in range(WARM_UP + STEPS):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return 1e3 * float(np.median(seconds[WARM_UP:]))


def longest(operations):
    """The operations that took longest together: [name, count, milliseconds]; ``operations`` yields (name, ms)."""
    found = defaultdict(lambda: [0, 0.0])
    for name, milliseconds in operations:
        found[name][0] += 1
        found[name][1] += milliseconds
    rows = sorted(([name, count, spent] for name, (count, spent) in found.items()), key=lambda row: -row[2])
    return {"operations": sum(row[1] for row in rows), "longest": rows[:OPERATIONS]}


def keras(case):
    """TensorFlow's execution and loops, one change at a time."""
    import tensorflow as tf

    v1 = getattr(tf.compat, "v1", tf)
    if case in ("graph mode", "graph mode, old loops"):
        if not hasattr(v1, "disable_eager_execution"):
            raise Impossible("graph mode is all there is")
        v1.disable_eager_execution()
    if case == "graph mode, old loops":
        if not hasattr(v1, "disable_control_flow_v2"):
            raise Impossible("old loops are all there is")
        v1.disable_control_flow_v2()
    layers = tf.keras.layers
    layer = layers.LSTM
    if case == "old layer":
        layer = getattr(getattr(getattr(v1, "keras", None), "layers", None), "LSTM", None)
        if layer is None or layer is layers.LSTM:
            raise Impossible("there is one layer")
    options = {"unroll": True} if case == "unrolled" else {}
    inputs = values = layers.Input(shape=(WINDOW, 1))
    for sequences in (True, False):
        values = layer(UNITS, return_sequences=sequences, recurrent_activation="sigmoid", **options)(values)
    net = tf.keras.models.Model(inputs, layers.Dense(1)(values))
    net.compile(optimizer=tf.keras.optimizers.Adam(1e-4), loss="mse")
    if case == "one tf.function":
        if not hasattr(tf, "function"):
            raise Impossible("there is no tf.function")
        return _as_functions(tf, net)
    answer = {
        "train": median_ms(lambda: net.train_on_batch(INPUTS, TARGETS)),
        "predict": median_ms(lambda: np.asarray(net.predict_on_batch(INPUTS))),
    }
    if tf.executing_eagerly():
        answer.update(longest(_traced(lambda: net.train_on_batch(INPUTS, TARGETS))))
    else:
        metadata = v1.RunMetadata()
        settings = {"options": v1.RunOptions(trace_level=v1.RunOptions.FULL_TRACE), "run_metadata": metadata}
        net.compile(optimizer=tf.keras.optimizers.Adam(1e-4), loss="mse", **settings)
        for _ in range(WARM_UP):
            net.train_on_batch(INPUTS, TARGETS)
        answer.update(longest(_nodes(metadata)))
    return answer


def _as_functions(tf, net):
    """The same step and prediction, each compiled as a whole by hand."""
    adam = tf.keras.optimizers.Adam(1e-4)

    @tf.function
    def update(inputs, targets):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(net(inputs, training=True) - targets))
        variables = net.trainable_variables
        gradients = tape.gradient(loss, variables)
        adam.apply_gradients([(gradients[place], variable) for place, variable in enumerate(variables)])
        return loss

    forecast = tf.function(lambda inputs: net(inputs, training=False))
    return {
        "train": median_ms(lambda: float(update(tf.constant(INPUTS), tf.constant(TARGETS)))),
        "predict": median_ms(lambda: forecast(tf.constant(INPUTS)).numpy()),
        **longest(()),
    }


def _traced(step):
    from tensorflow.python.eager import context

    context.enable_run_metadata()
    for _ in range(2):
        context.context().export_run_metadata()  # forget what ran before
        step()
    return _nodes(context.context().export_run_metadata())


def _nodes(metadata):
    """Yield the type and the milliseconds of every operation; TensorFlow labels it "name = Type(inputs)"."""
    for device in metadata.step_stats.dev_stats:
        for node in device.node_stats:
            kind = node.timeline_label.partition(" = ")[2].partition("(")[0] or node.node_name.rpartition("/")[2]
            yield kind, (node.op_end_rel_micros - node.op_start_rel_micros) / 1e3


def pytorch(case):
    """PyTorch's kernels, threads and parts of a step."""
    import torch

    if case == "one thread":
        torch.set_num_threads(1)
    elif case == "without oneDNN":
        set_flags = getattr(getattr(torch.backends, "mkldnn", None), "set_flags", None)
        if set_flags is None:
            raise Impossible("no switch for oneDNN")
        set_flags(False)
    lstm, linear = torch.nn.LSTM(1, UNITS, num_layers=2, batch_first=True), torch.nn.Linear(UNITS, 1)
    parameters = list(lstm.parameters()) + list(linear.parameters())
    options = {}
    if case == "update per parameter":
        import inspect

        if "foreach" not in inspect.signature(torch.optim.Adam).parameters:
            raise Impossible("no other update")
        options = {"foreach": False}
    adam = torch.optim.Adam(parameters, lr=1e-4, **options)
    inputs, targets = torch.from_numpy(INPUTS), torch.from_numpy(TARGETS)

    def net(values):
        return linear(lstm(values)[0][:, -1])

    def train():
        adam.zero_grad()
        loss = torch.nn.functional.mse_loss(net(inputs), targets)
        if case != "forward alone":
            loss.backward()
        if case not in ("forward alone", "forward and backward"):
            adam.step()
        return loss.item()

    def predict():
        with torch.no_grad():
            return net(inputs).numpy()

    answer = {"train": median_ms(train), "predict": median_ms(predict)}
    with torch.autograd.profiler.profile() as profile:
        train()
    answer.update(longest((one.name, _self_us(one) / 1e3) for one in profile.function_events))
    return answer


def _self_us(event):
    """Microseconds of an operation without those it called; before 1.4 with them."""
    own = getattr(event, "self_cpu_time_total", None)
    return getattr(event, "cpu_time_total", 0.0) if own is None else own


CASES = {
    "keras": (keras, ("as written", "one tf.function", "graph mode", "graph mode, old loops", "old layer", "unrolled")),
    "pytorch": (
        pytorch,
        ("as written", "without oneDNN", "one thread", "update per parameter", "forward and backward", "forward alone"),
    ),
}


def main():
    """Print the answer of one case; exit status 3 with the reason where it does not exist here."""
    parser = argparse.ArgumentParser(prog="python -m experiments.era_cases", description=__doc__.splitlines()[0])
    chosen = parser.add_subparsers(dest="framework", metavar="FRAMEWORK", help=" or ".join(sorted(CASES)))
    chosen.required = True
    for framework, (_, cases) in sorted(CASES.items()):
        chosen.add_parser(framework).add_argument("case", metavar="CASE", choices=cases, help=", ".join(cases))
    options = parser.parse_args()
    try:
        print(json.dumps(CASES[options.framework][0](options.case)))
    except Impossible as reason:
        print(reason, file=sys.stderr)
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
