"""A described LSTM net in Keras, for the proof that it is the same net."""

from runners.contract import Context
from runners.keras import compat, network
from runners.keras.twins.compat import TOLERANCES, first_moments, set_precision
from runners.keras_nets.compiled import twin
from runners.nets.lstm import shapes, size
from runners.nets.sameness import Description, Twin


def open_twin(context: Context, description: Description, precision: str) -> Twin:
    """The described net."""
    set_precision(precision)
    compat.seed_everything(context.seed)
    units, bidirectional = size(description.weights)
    names = [name for name, _ in shapes(units, bidirectional)]  # Keras holds and orders them as the description does
    net = network.build(description.inputs.shape[1], units, bidirectional)
    net.set_weights([description.weights[name].astype(precision) for name in names])
    network.compile_with_adam(net, description.learning_rate)
    return twin(net, names, precision, first_moments, TOLERANCES)
