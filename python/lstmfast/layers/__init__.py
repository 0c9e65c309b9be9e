"""Layers of models, with Keras's names, arguments and defaults.

A layer is a description until its input shape is known; then it has weights, which all models in
which it stands share.
"""

from __future__ import annotations

from lstmfast._keras_names import explain_missing
from lstmfast._names import listed
from lstmfast.layers._activations import ELU, LeakyReLU, PReLU, ReLU, Softmax
from lstmfast.layers._attention import AdditiveAttention, Attention
from lstmfast.layers._cells import RNN, GRUCell, LSTMCell, SimpleRNNCell, StackedRNNCells
from lstmfast.layers._conv_lstm import ConvLSTM1D, ConvLSTM2D
from lstmfast.layers._convolution import Conv1D, Conv2D, Convolution1D, Convolution2D
from lstmfast.layers._decoder_input import DecoderInput
from lstmfast.layers._embedding import Embedding
from lstmfast.layers._gru import GRU
from lstmfast.layers._input import Input, InputLayer
from lstmfast.layers._lambda import Lambda
from lstmfast.layers._lstm import LSTM
from lstmfast.layers._masking import Masking
from lstmfast.layers._merging import *
from lstmfast.layers._multi_head_attention import MultiHeadAttention
from lstmfast.layers._normalization import *
from lstmfast.layers._pooling import *
from lstmfast.layers._regularization import *
from lstmfast.layers._resampling import *
from lstmfast.layers._reshaping import Flatten, Permute, RepeatVector, Reshape
from lstmfast.layers._simple_rnn import SimpleRNN
from lstmfast.layers._text import TextVectorization
from lstmfast.layers._wrappers import Bidirectional, TimeDistributed
from lstmfast.layers.base import LAYERS, Layer
from lstmfast.layers.base import from_config as from_config
from lstmfast.layers.feedforward import Activation, Dense, MixtureDensity

__all__ = [
    "ELU",
    "GRU",
    "LSTM",
    "RNN",
    "Activation",
    "ActivityRegularization",
    "Add",
    "AdditiveAttention",
    "AlphaDropout",
    "Attention",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "AvgPool1D",
    "AvgPool2D",
    "BatchNormalization",
    "Bidirectional",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "Convolution1D",
    "Convolution2D",
    "Cropping1D",
    "Cropping2D",
    "DecoderInput",
    "Dense",
    "Dot",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalAvgPool1D",
    "GlobalAvgPool2D",
    "GlobalMaxPool1D",
    "GlobalMaxPool2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "Input",
    "InputLayer",
    "LSTMCell",
    "Lambda",
    "Layer",
    "LayerNormalization",
    "LeakyReLU",
    "Masking",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "MixtureDensity",
    "MultiHeadAttention",
    "Multiply",
    "PReLU",
    "Permute",
    "RMSNormalization",
    "ReLU",
    "RepeatVector",
    "Reshape",
    "SimpleRNN",
    "SimpleRNNCell",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
    "StackedRNNCells",
    "Subtract",
    "TextVectorization",
    "TimeDistributed",
    "UnitNormalization",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
    "add",
    "average",
    "concatenate",
    "dot",
    "maximum",
    "minimum",
    "multiply",
    "subtract",
]

explain_missing(__name__)

LAYERS.add(listed(globals()))
