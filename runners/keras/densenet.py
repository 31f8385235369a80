"""The DenseNet of ``runners.keras_nets.densenet`` in Keras on TensorFlow."""

from runners.keras import proof
from runners.keras.compat import keras
from runners.keras_nets.densenet import Kit, implementation

_KIT = Kit(keras, proof.cross_entropy, proof.set_precision_of_images, proof.first_moments, proof.TOLERANCES)
prepare, train_to_quality, prove = implementation(_KIT)
