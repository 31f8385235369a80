"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on TensorFlow."""

from runners.keras import proof
from runners.keras.compat import keras
from runners.keras_nets.densenet import Kit, library
from runners.nets.densenet_implementation import Implementation

_KIT = Kit(keras, proof.cross_entropy, proof.set_precision_of_images, proof.first_moments, proof.TOLERANCES)
_ROW = Implementation(library(_KIT))
prepare, train_to_quality, prove = _ROW.prepare, _ROW.train_to_quality, _ROW.prove
