"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on TensorFlow."""

from runners.keras.compat import keras
from runners.keras.twins import compat
from runners.keras_nets.densenet import Kit, library
from runners.nets.densenet_implementation import Implementation

_KIT = Kit(keras, compat.cross_entropy, compat.set_precision_of_images, compat.first_moments, compat.TOLERANCES)
_ROW = Implementation(library(_KIT))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
