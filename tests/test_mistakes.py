"""What users of Keras get wrong: each message says where, which argument, what came, what to do.

Each row is code as a user would write it, the kind of error, and words of its message. This is the
index of arguments of models, layers, optimizers and callbacks; other tables of errors go deeper
into a subject.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lstmfast as lf
from lstmfast import (
    activations,
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)
from lstmfast.callbacks import EarlyStopping, LambdaCallback, TerminateOnNaN
from lstmfast.layers import LSTM, Bidirectional, Dense, Dropout, Input, Masking
from lstmfast.models import Sequential
from lstmfast.optimizers import SGD, Adam

X, Y = np.zeros((15, 3, 1)), np.zeros((15, 2))


class OwnOptimizer(optimizers.Optimizer):
    """As a subclass of Keras's Optimizer would begin."""


class NoCallback:
    """Of another library, say."""


def compiled() -> Sequential:
    model = Sequential([Input((3, 1)), LSTM(5), Dense(2)])
    model.compile("adam", "mse")
    return model


def unbuilt() -> Sequential:
    model = Sequential([LSTM(3), Dense(2)])
    model.compile("adam", "mse")
    return model


NAMES = {
    "X": X, "Y": Y, "np": np, "lf": lf, "activations": activations, "callbacks": callbacks,
    "constraints": constraints, "initializers": initializers, "layers": layers, "losses": losses,
    "metrics": metrics, "models": models, "optimizers": optimizers, "regularizers": regularizers,
    "utils": utils, "EarlyStopping": EarlyStopping, "LambdaCallback": LambdaCallback,
    "TerminateOnNaN": TerminateOnNaN, "LSTM": LSTM, "Bidirectional": Bidirectional, "Dense": Dense,
    "Dropout": Dropout, "Input": Input, "Masking": Masking, "Sequential": Sequential, "SGD": SGD,
    "Adam": Adam, "OwnOptimizer": OwnOptimizer, "NoCallback": NoCallback, "compiled": compiled,
    "unbuilt": unbuilt,
}  # fmt: skip

T, V, A = TypeError, ValueError, AttributeError
LAYER = "expected a layer of lstmfast.layers"
CALLBACK = "expected an object of a class derived from lstmfast.callbacks.Callback"
NOT_YET = "is not available in this version"
MISTAKES: list[tuple[str, type[Exception], str]] = [
    # -- Sequential
    ("Sequential(LSTM(3))", T, "[Sequential] layers is of type LSTM; expected a list of layers:"),
    ("Sequential(LSTM(3), Dense(1))", T, "[Sequential] layers is of type LSTM; expected a list"),
    ("Sequential({'lstm': LSTM(3)})", T, "[Sequential] layers is of type dict; expected a list"),
    ("Sequential([LSTM(3), Dense])", T, f"[Sequential.add] layer is the class Dense; {LAYER}"),
    ("Sequential([LSTM(3), None])", T, f"[Sequential.add] layer is None; {LAYER}"),
    ("Sequential([[LSTM(3)]])", T, f"[Sequential.add] layer is of type list; {LAYER}"),
    ("Sequential(['lstm'])", T, f"[Sequential.add] layer is of type str; {LAYER}"),
    ("Sequential([], name=3)", T, "[Sequential] name is of type int; expected a string"),
    ("Sequential([], trainable='no')", T, "[Sequential] trainable is of type str; expected True"),
    ("Sequential([], dtype='float16')", V, "[Sequential] dtype is float16; expected float32 or"),
    ("Sequential([], seed='x')", T, "[Sequential] seed is of type str; expected an integer, a"),
    ("Sequential([], seed=-1)", V, "[Sequential] seed is -1; expected 0 or more"),
    ("Sequential([Dense(1), Input((3,))])", V, "[Sequential.add] an Input must come first"),
    ("Sequential([LSTM(2, return_state=True)])", V, "return_state=True returns several arrays"),
    ("Sequential([Input((9, 3)), LSTM(4), LSTM(4)])", V, "pass return_sequences=True to lstm"),
    ("Sequential([Input((3, 4, 5)), LSTM(2)])", V, "lstm needs sequences (steps, features), but a"),
    ("compiled().get_layer(0)", T, "[Sequential.get_layer] name is of type int; expected a string"),
    ("compiled().get_layer('gru')", V, "no layer is called 'gru'; there are: lstm, dense"),
    ("compiled().get_layer()", V, "[Sequential.get_layer] expected either a name or an index"),
    ("compiled().get_layer(index=5)", V, "[Sequential.get_layer] index is 5; there are 2 layers"),
    ("compiled().build((None, 4, 1))", V, "input_shape is (?, 4, 1); the model has (?, 3, 1)"),
    ("compiled().build(3)", T, "[Sequential.build] input_shape is of type int; expected a tuple"),
    ("unbuilt().build()", V, "[Sequential.build] the input shape is not known"),
    ("unbuilt().output_shape", V, "[Sequential] the model has no weights yet, for its input"),
    ("compiled().summary('wide')", T, "[summary] line_length is of type str; expected an integer"),
    ("compiled().summary(print_fn=3)", T, "[summary] print_fn is of type int; expected a function"),
    ("Sequential.from_config('x')", T, "[Sequential.from_config] config is of type str; expected"),
    ("Sequential.from_config({})", V, "[Sequential.from_config] config lacks layers; expected get"),
    ("setattr(compiled(), 'optimizer', 'sgd')", A, "optimizer cannot be set; call compile(optimi"),
    ("setattr(compiled(), 'loss', 'mae')", A, "[Sequential] loss cannot be set; call compile(loss"),
    ("setattr(compiled(), 'weights', [])", A, "[Sequential] weights cannot be set; call set_w"),
    ("setattr(LSTM(3), 'weights', [])", A, "[LSTM] weights cannot be set; call set_weights()"),
    ("Sequential.from_config({'layers': 3})", T, "layers is of type int; expected a list"),
    # -- Input
    ("Input(3)", T, "[layers.Input] shape is of type int; expected a tuple such as"),
    ("Input()", T, "[layers.Input] shape is None; expected a tuple"),
    ("Input((3, -1))", V, "[layers.Input] shape[1] is -1; expected at least 1"),
    ("Input((3.5, 1))", T, "[layers.Input] shape[0] is of type float; expected an integer"),
    ("Input((3, None))", V, "[layers.Input] shape is (3, ?); expected (steps, features) or"),
    ("Input((3, 1), dtype='float16')", V, "[layers.Input] dtype is float16; expected float32 or"),
    ("Input((3, 1), name=5)", T, "[layers.Input] name is of type int; expected a string"),
    ("Input((3, 1), batch_size='8')", T, "[layers.Input] batch_size is of type str; expected an"),
    ("Input((3, 1), batch_shape=(2, 3, 1))", V, "[layers.Input] batch_shape is given; expected"),
    ("Input((3, 1), sparse=True)", T, "unexpected keyword argument 'sparse'"),
    ("LSTM(2)([Input((3, 1)), np.ones((2, 3, 1))])", T, "[layers.LSTM] x[1] is of type ndarray;"),
    ("LSTM(2)(Dense(1))", T, "[layers.LSTM] x is of type Dense; expected an array or a tensor"),
    # -- LSTM
    ("LSTM()", T, "missing 1 required positional argument: 'units'"),
    ("LSTM('32')", T, "[layers.LSTM] units is of type str; expected an integer"),
    ("LSTM(0)", V, "[layers.LSTM] units is 0; expected an integer from 1 to 16777216"),
    ("LSTM(3, name=4)", T, "[layers.LSTM] name is of type int; expected a string"),
    ("LSTM(3, 'rleu')", V, "[layers.LSTM] activation is 'rleu'; expected one of affine, celu"),
    ("LSTM(3, activation=np.tanh)", T, "[layers.LSTM] activation is of type ufunc; expected a"),
    ("LSTM(3, recurrent_activation='softmax')", V, "softmax is a function of a whole row"),
    ("LSTM(3, use_bias=1)", T, "[layers.LSTM] use_bias is of type int; expected True or False"),
    ("LSTM(3, dropout=1.5)", V, "[layers.LSTM] dropout is 1.5; expected a number from 0 to"),
    ("LSTM(3, dropout='0.5')", T, "[layers.LSTM] dropout is of type str; expected a number"),
    ("LSTM(3, recurrent_dropout=-1)", V, "[layers.LSTM] recurrent_dropout is -1; expected a"),
    ("LSTM(3, seed=1.5)", T, "[layers.LSTM] seed is of type float; expected an integer"),
    ("LSTM(3, return_sequences='yes')", T, "return_sequences is of type str; expected True or"),
    ("LSTM(3, return_sequence=True)", T, "argument 'return_sequence'; did you mean 'return_"),
    ("LSTM(3, kernel_initializer='golrot')", V, "[layers.LSTM] kernel_initializer: unknown"),
    ("LSTM(3, recurrent_initializer=3)", T, "[layers.LSTM] recurrent_initializer: initializer is"),
    ("LSTM(3, kernel_regularizer='l3')", V, "[layers.LSTM] kernel_regularizer: unknown"),
    ("LSTM(3, bias_regularizer=0.01)", T, "[layers.LSTM] bias_regularizer: regularizer is of type"),
    ("LSTM(3, kernel_constraint='maxnorm')", V, "unknown constraint 'maxnorm'; known: max_norm,"),
    ("LSTM(3, trainable='no')", T, "[layers.LSTM] trainable is of type str; expected True or"),
    ("LSTM(3, dtype='float16')", V, "[layers.LSTM] dtype is float16; expected float32 or"),
    ("LSTM(3, dtype=np.float16)", V, "[layers.LSTM] dtype is float16; expected float32 or float64"),
    ("LSTM(3, input_shape=3)", T, "[layers.LSTM] input_shape is of type int; expected a tuple"),
    ("LSTM(3, input_dim=2, input_shape=(3, 2))", V, "input_dim is given; expected no input_shape"),
    ("LSTM(3)(X[0])", V, "[layers.LSTM] lstm: input of a sample has shape (?,); expected (st"),
    ("LSTM(3)(X, training='no')", T, "[layers.LSTM] training is of type str; expected True or"),
    ("LSTM(3)(X, mask=np.ones((15, 4), bool))", V, "mask has shape (15, 4); expected (15, 3)"),
    ("LSTM(3)(X, initial_state=X)", V, "[layers.LSTM] initial_state has 15 arrays; expected 2"),
    ("setattr(LSTM(3), 'bias', 0)", A, "[layers.LSTM] bias cannot be set; call its assign(), or"),
    ("setattr(LSTM(3), 'name', 3)", T, "[layers.LSTM] name is of type int; expected a string"),
    ("LSTM(3).kernel", A, "[layers.LSTM] kernel: the layer has no weights yet"),
    ("compiled().layers[0](np.zeros((2, 3, 4)))", V, "[layers.LSTM] input of a sample has shape ("),
    ("setattr(compiled().layers[0], 'units', 9)", A, "[layers.LSTM] units cannot change once the"),
    # -- the other layers
    ("Dense('3')", T, "[layers.Dense] units is of type str; expected an integer"),
    ("Dense(2, activation=lambda x: x)", T, "[layers.Dense] activation is of type function;"),
    ("Dense(2, activation='log_softmax')", V, "log_softmax is a function of a whole row and not"),
    ("Dense(2, lora_rank=4)", V, f"[layers.Dense] lora_rank=4 {NOT_YET}"),
    ("Dense(2, unit=4)", T, "[layers.Dense] got an unexpected keyword argument 'unit'; did you"),
    ("Dense(2)(X[0, 0])", V, "[layers.Dense] x has shape (1,); expected (batch, ...)"),
    ("Dropout(1.1)", V, "[layers.Dropout] rate is 1.1; expected a number from 0 to 1"),
    ("Dropout('0.1')", T, "[layers.Dropout] rate is of type str; expected a number"),
    ("Bidirectional(LSTM)", T, "[layers.Bidirectional] layer is the class LSTM; expected a layer"),
    ("Bidirectional(Dense(2))", T, "[layers.Bidirectional] layer is of type Dense; expected a"),
    ("Bidirectional(LSTM(2), merge_mode='add')", V, 'merge_mode is "add"; expected one of "con'),
    ("Bidirectional(LSTM(2), backward_layer=LSTM(2))", V, "go_backwards is False; expected the op"),
    ("Bidirectional(LSTM(2), weights=[X])(X)", V, "[layers.Bidirectional] weights has 1 arrays;"),
    ("Masking(None)", T, "[layers.Masking] mask_value is None; expected a finite number"),
    ("Masking(mask_val=0)", T, "argument 'mask_val'; did you mean 'mask_value'?"),
    ("layers.JaxLayer(9)", A, f"lstmfast.layers.JaxLayer {NOT_YET}: the name is Keras's"),
    ("layers.from_config({'class_name': 3})", T, "layer's class_name is of type int; expected a"),
    ("layers.from_config({'class_name': 'LSTM', 'config': 3})", T, "layer's config is of type int"),
    # -- compile
    ("compiled().compile('adma', 'mse')", V, "[compile] optimizer: unknown optimizer 'adma';"),
    ("compiled().compile('mse', 'adam')", V, "[compile] optimizer: unknown optimizer 'mse"),
    ("compiled().compile('ftrl', 'mse')", V, "[compile] optimizer: optimizer 'ftrl"),
    ("compiled().compile(3, 'mse')", T, "[compile] optimizer: optimizer is of type int; expected"),
    ("compiled().compile('adam', 'msee')", V, "[compile] loss: unknown loss 'msee'; known: bce,"),
    ("compiled().compile('adam', 'tversky')", V, f"[compile] loss: loss 'tversky' {NOT_YET}"),
    ("compiled().compile('adam', {'x': 'mse'})", V, "[compile] loss: there is no output 'x'; the"),
    ("compiled().compile('adam', ['mse', 'mae'])", V, "[compile] loss: got 2 items; expected one,"),
    ("compiled().compile('adam', 'mse', metrics=['f1'])", V, "[compile] metrics: unknown metric"),
    ("compiled().compile('adam', 'mse', metrics=['IoU'])", V, f"metric 'IoU' {NOT_YET}"),
    ("compiled().compile('adam', 'mse', metrics=[None])", T, "[compile] metrics: metric is None;"),
    ("compiled().compile('adam', 'mse', metrics=['mean'])", V, "[mean] is the mean of values, wi"),
    ("compiled().compile('adam', 'mse', ['mae'])", T, "[compile] loss_weights is of type str; e"),
    ("compiled().compile('adam', 'mse', weighted_metrics=[3])", T, "[compile] weighted_metrics: "),
    ("compiled().compile(optimiser='adam')", T, "unexpected keyword argument 'optimiser'"),
    ("losses.MeanSquaredError(reduction='all')", V, '[MeanSquaredError] reduction is "all"; exp'),
    ("losses.Huber('1')", T, "[Huber] delta is of type str; expected a number"),
    ("metrics.MeanSquaredError(name=3)", T, "[MeanSquaredError] name is of type int; expected a"),
    ("metrics.MeanMetricWrapper('mae')", T, "[MeanMetricWrapper] fn is of type str; expected a"),
    # -- optimizers
    ("Adam(lr=0.1)", T, "[Adam] got lr, the name in older versions of Keras; expected learning_"),
    ("Adam('0.1')", T, "[Adam] learning_rate is of type str; expected a number"),
    ("Adam(float)", T, "[Adam] learning_rate is the class float; expected a number"),
    ("Adam(-1)", V, "[Adam] learning_rate is -1; expected a number of at least 0"),
    ("Adam(beta1=0.9)", T, "[Adam] got an unexpected keyword argument 'beta1'; did you mean 'beta"),
    ("Adam(beta_1=1)", V, "[Adam] beta_1 is 1; expected a number from 0 to below 1"),
    ("Adam(weight_decay=-0.01)", V, "[Adam] weight_decay is -0.01; expected a number of at least"),
    ("Adam(loss_scale_factor=2)", V, f"[Adam] loss_scale_factor=2 {NOT_YET}"),
    ("Adam(clipnorm=1, clipvalue=1)", V, "[Adam] clipvalue is 1; expected None next to clipnorm"),
    ("setattr(Adam(), 'clipnorm', 0)", V, "[Adam] clipnorm is 0; expected a number above 0, or"),
    ("Adam(clipnorm='1')", T, "[Adam] clipnorm is of type str; expected a number"),
    ("Adam(name=3)", T, "[Adam] name is of type int; expected a string"),
    ("Adam().lr", A, "Adam.lr is Keras's and not available in this version; use learning_rate"),
    ("setattr(Adam(), 'lr', 0.1)", A, "[Adam] there is no lr; set learning_rate"),
    ("Adam().learning_rate.assign('x')", T, "[Adam] learning_rate is of type str; expected a"),
    ("SGD(nesterov='yes')", T, "[SGD] nesterov is of type str; expected True or False"),
    ("SGD(momentum=2)", V, "[SGD] momentum is 2; expected a number from 0 to 1"),
    ("OwnOptimizer(0.1)", T, "[OwnOptimizer] optimizers of one's own are not available in this"),
    ("optimizers.get({'class_name': 'SGD', 'config': 3})", T, "optimizer's config is of type int;"),
    # -- fit
    ("compiled().fit()", T, "[fit] x is None; expected an array"),
    ("compiled().fit(X)", V, "[fit] y is missing"),
    ("compiled().fit((X, Y))", V, "x is not a full array: it is a list of arrays of shapes (15, 3"),
    ("compiled().fit([X, X], Y)", V, "expected (N, 3, 1); 2 inputs came, and the model has one"),
    ("compiled().fit([[1, 2], [3]], Y)", V, "[fit] x is not a full array: its rows differ in"),
    ("compiled().fit({'x': X}, Y)", V, "[fit] x lacks 'input_layer'; expected an array, or a"),
    ("compiled().fit('data.csv', Y)", T, "[fit] x holds <U8 values; expected real numbers"),
    ("compiled().fit(X, Y[:12])", V, "[fit] y has shape (12, 2); expected (15, ...), for x has 15"),
    ("compiled().fit(X[0], Y[0])", V, "[fit] x has shape (3, 1); expected (N, 3, 1); for one"),
    ("compiled().fit(X[:, :, 0], Y)", V, "expected (N, 3, 1); for one feature pass x[..., None]"),
    ("compiled().fit(X, ['a'] * 15)", T, "[fit] y holds <U1 values; expected real numbers"),
    ("compiled().fit(X, Y, batch_size='32')", T, "[fit] batch_size is of type str; expected an"),
    ("compiled().fit(X, Y, epochs=2.5)", T, "[fit] epochs is of type float; expected an integer"),
    ("compiled().fit(X, Y, verbose=3)", V, "[fit] verbose is 3; expected 0, 1, 2 or 'auto'"),
    ("compiled().fit(X, Y, shuffle='batch')", T, "[fit] shuffle is of type str; expected True or"),
    ("compiled().fit(X, Y, nb_epoch=3)", T, "unexpected keyword argument 'nb_epoch'"),
    ("compiled().fit(X, Y, steps_per_epoch=1.5)", T, "[fit] steps_per_epoch is of type float; exp"),
    ("compiled().fit(X, Y, validation_split=20)", V, "[fit] validation_split is 20.0; expected 0"),
    ("compiled().fit(X, Y, validation_data=X)", T, "[fit] validation_data is of type ndarray;"),
    ("compiled().fit(X, Y, validation_data=(X,))", V, "[fit] validation_data has 1 items;"),
    ("compiled().fit(X, Y, validation_data=(X, Y[:3]))", V, "for validation_data[0] has 15"),
    ("compiled().fit(X, Y, validation_freq=0, validation_data=(X, Y))", V, "validation_freq is 0;"),
    ("compiled().fit(X, Y, class_weight='balanced')", T, "class_weight is of type str; expected a"),
    ("compiled().fit(X, Y, class_weight={'0': 1.0})", T, "class_weight's key '0' is of type str;"),
    ("compiled().fit(X, Y, class_weight={0: 'a'})", T, "[fit] class_weight[0] is of type str;"),
    ("compiled().fit(X, Y, sample_weight=[1] * 14)", V, "[fit] sample_weight has shape (14,);"),
    ("compiled().fit(X, Y, sample_weight=Y[:, 0] - 1)", V, "[fit] sample_weight[0] is -1.0;"),
    ("compiled().fit(X, Y, callbacks='early')", T, "[fit] callbacks is of type str; expected a"),
    ("compiled().fit(X, Y, callbacks=[EarlyStopping])", T, "callbacks[0] is the class"),
    ("compiled().fit(X, Y, callbacks=[NoCallback()])", T, f"is of type NoCallback; {CALLBACK}"),
    # -- the other methods
    ("compiled().evaluate(X)", V, "[evaluate] y is missing"),
    ("compiled().evaluate(X, Y, steps=0)", V, "[evaluate] steps is 0; expected at least 1"),
    ("compiled().evaluate(X, Y, return_dict='yes')", T, "[evaluate] return_dict is of type str;"),
    ("compiled().predict(X, Y)", T, "[predict] batch_size is of type ndarray; expected an integer"),
    ("compiled().predict(X, callbacks=3)", T, "[predict] callbacks is of type int; expected a"),
    ("compiled().predict(X, verbose='no')", V, "[predict] verbose is 'no'; expected 0, 1, 2 or"),
    ("compiled()(X, Y)", T, "[call] training is of type ndarray; expected True or False"),
    ("compiled().train_on_batch(X, Y, return_dict=3)", T, "[train_on_batch] return_dict is of"),
    ("compiled().train_on_batch(X)", V, "[train_on_batch] y is missing"),
    ("compiled().test_on_batch(X, Y[:3])", V, "[test_on_batch] y has shape (3, 2); expected (15,"),
    ("compiled().predict_on_batch(X[0, 0])", V, "[predict_on_batch] x has shape (1,); expected (N"),
    ("compiled().set_weights(None)", T, "[Sequential.set_weights] weights is None; expected a"),
    ("compiled().set_weights([X])", V, "[Sequential.set_weights] weights has 1 arrays; expected 5"),
    ("compiled().save(5)", T, "[save] filepath is of type int; expected text or a path"),
    ("compiled().fit_generator(X)", A, "Sequential.fit_generator is Keras's and not available in"),
    # -- callbacks
    ("EarlyStopping(3)", T, "[EarlyStopping] monitor is of type int; expected a string"),
    ("EarlyStopping(patience=2.5)", T, "[EarlyStopping] patience is of type float; expected an"),
    ("EarlyStopping(mode='minimum')", V, "[EarlyStopping] mode is 'minimum'; expected 'auto',"),
    ("EarlyStopping(baseline='a')", T, "[EarlyStopping] baseline is of type str; expected a"),
    ("EarlyStopping(verbose='a')", T, "[EarlyStopping] verbose is of type str; expected an"),
    ("EarlyStopping(restore_best_weights=1)", T, "restore_best_weights is of type int; expected"),
    ("TerminateOnNaN(raise_error='no')", T, "[TerminateOnNaN] raise_error is of type str;"),
    ("LambdaCallback(on_epoch_end=3)", T, "[LambdaCallback] on_epoch_end is of type int; expected"),
    ("LambdaCallback(on_epoch_finish=print)", T, "[LambdaCallback] there is no hook on_epoch_"),
    ("callbacks.RemoteMonitor()", A, f"lstmfast.callbacks.RemoteMonitor {NOT_YET}: the name is"),
    # -- the rest
    ("initializers.GlorotUniform(seed='a')", T, "[GlorotUniform] seed is of type str; expected an"),
    ("initializers.Zeros()(3)", T, "[Zeros] shape is of type int; expected a tuple of sizes"),
    ("regularizers.L2('a')", T, "[L2] l2 is of type str; expected a number"),
    ("regularizers.L2()(['a'])", T, "[L2] x holds <U1 values; expected real numbers"),
    ("constraints.MaxNorm(-1)", V, "[MaxNorm] max_value is -1; expected a number of at least 0"),
    ("constraints.NonNeg()('a')", T, "[NonNeg] w holds <U1 values; expected real numbers"),
    ("activations.get('rleu')", V, "[activations.get] identifier is 'rleu'; expected one of"),
    ("utils.set_random_seed('a')", T, "[set_random_seed] seed is of type str; expected an integer"),
    ("utils.to_categorical(['a'])", T, "[to_categorical] x holds <U1 values; expected real numbe"),
    ("utils.img_to_array(1)", A, f"lstmfast.utils.img_to_array {NOT_YET}: the name is Keras's"),
    ("models.load_model(None)", T, "[load_model] filepath is None; expected text or a path"),
    ("lf.Metric", A, f"lstmfast.Metric {NOT_YET}: the name is Keras's (keras.Metric)"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "kind", "words"), MISTAKES, ids=[code for code, *_ in MISTAKES])
def test_message(code: str, kind: type[Exception], words: str) -> None:
    with pytest.raises(Exception) as caught:
        eval(code, dict[str, Any](NAMES))
    assert words in str(caught.value)
    assert type(caught.value) is kind
