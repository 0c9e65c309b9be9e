"""Names of Keras, for error messages about those that this version lacks.

The names are those of Keras 3.15 and the common ones of older versions. A name that lstmfast gets
may stay here: nothing looks up a name that exists.
"""

from __future__ import annotations

import sys
from typing import Any

from lstmfast._elsewhere import explain

# of losses and of metrics
_OF_BOTH = """
    CategoricalHinge CosineSimilarity Hinge KLD KLDivergence MAE MAPE MSE MSLE
    MeanAbsolutePercentageError MeanSquaredLogarithmicError Poisson SquaredHinge bce
    binary_crossentropy binary_focal_crossentropy categorical_crossentropy
    categorical_focal_crossentropy categorical_hinge deserialize hinge huber kl_divergence
    kld log_cosh mae mape mean_absolute_error mean_absolute_percentage_error
    mean_squared_error mean_squared_logarithmic_error mse msle poisson serialize
    sparse_categorical_crossentropy squared_hinge
"""
# module of lstmfast, without the package: names of Keras's module; #D stands for 1D, 2D and 3D
_NAMES = {
    "layers": """
        ActivityRegularization AdaptiveAveragePooling#D AdaptiveMaxPooling#D
        AdditiveAttention AlphaDropout Attention AugMix AutoContrast AveragePooling#D
        AvgPool#D BatchNormalization CategoryEncoding CenterCrop
        ContrastLimitedAdaptiveHistogramEqualization Conv#D Conv#DTranspose ConvLSTM#D
        Convolution#D Convolution#DTranspose Cropping#D CuDNNGRU CuDNNLSTM CutMix
        DepthwiseConv1D DepthwiseConv2D Discretization ELU EinsumDense Equalization
        FlaxLayer GRU GRUCell GaussianDropout GaussianNoise GlobalAveragePooling#D
        GlobalAvgPool#D GlobalMaxPool#D GlobalMaxPooling#D GroupNormalization
        GroupQueryAttention HashedCrossing Hashing Identity InputSpec IntegerLookup JaxLayer
        LSTMCell Lambda LayerNormalization LeakyReLU LocallyConnected1D LocallyConnected2D
        MaxNumBoundingBoxes MaxPool#D MaxPooling#D MelSpectrogram MixUp MultiHeadAttention
        Normalization PReLU Pipeline RMSNormalization RNN RandAugment RandomBrightness
        RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
        RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
        RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
        RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom ReLU
        Rescaling Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D
        SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN
        SimpleRNNCell Softmax Solarization SpatialDropout#D SpectralNormalization
        StackedRNNCells StringLookup TFSMLayer TextVectorization ThresholdedReLU
        TorchModuleWrapper UnitNormalization UpSampling#D Wrapper ZeroPadding#D deserialize
        serialize
    """,
    "losses": _OF_BOTH
    + """
        BinaryFocalCrossentropy CTC CategoricalFocalCrossentropy
        CategoricalGeneralizedCrossEntropy Circle Dice LogCosh Tversky
        categorical_generalized_cross_entropy circle cosine_similarity ctc dice
        kullback_leibler_divergence logcosh tversky
    """,
    "metrics": _OF_BOTH
    + """
        AUC BinaryCrossentropy BinaryIoU CategoricalCrossentropy ConcordanceCorrelation
        F1Score FBetaScore FalseNegatives FalsePositives IoU LogCoshError Mean MeanIoU
        OneHotIoU OneHotMeanIoU PearsonCorrelation Precision PrecisionAtRecall R2Score
        Recall RecallAtPrecision SensitivityAtSpecificity SparseCategoricalCrossentropy
        SparseTopKCategoricalAccuracy SpecificityAtSensitivity Sum TopKCategoricalAccuracy
        TrueNegatives TruePositives binary_accuracy categorical_accuracy
        concordance_correlation cosine_proximity pearson_correlation
        sparse_categorical_accuracy sparse_top_k_categorical_accuracy
        top_k_categorical_accuracy
    """,
    "callbacks": """
        BaseLogger CallbackList OrbaxCheckpoint RemoteMonitor SwapEMAWeights experimental
    """,
    "optimizers": """
        Adafactor Ftrl Lamb LossScaleOptimizer MultiOptimizer Muon OptimizerMap
        ScheduleFreeAdamW experimental legacy
    """,
    "initializers": """
        IdentityInitializer OrthogonalInitializer STFT STFTInitializer stft
    """,
    "models": """
        Functional clone_model model_from_json model_from_yaml
    """,
    "ops": """
        adaptive_average_pool adaptive_max_pool allclose angle append arange arccosh arcsinh
        arctanh argmax argmin argpartition argsort array array_split associative_scan
        average_pool bartlett batch_normalization binary_crossentropy bincount bitwise_and
        bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor
        blackman broadcast_to categorical_crossentropy cbrt cdist cholesky cholesky_inverse cond
        conj conjugate conv conv_transpose convert_to_numpy copy corrcoef correlate
        count_nonzero cross ctc_decode ctc_loss cumprod cumsum custom_gradient deg2rad
        depth_to_space depthwise_conv det diag diagflat diagonal diff digitize divide_no_nan
        dot_product_attention dsplit dstack dtype eig eigh einsum empty empty_like erfc erfinv
        exp2 extract_sequences eye fabs fft fft2 fliplr flipud floor_divide fmax fmin fmod fold
        fori_loop full full_like gcd geomspace glu hamming hanning heaviside histogram hsplit
        hstack hypot i0 ifft2 imag image in_top_k inner inv irfft is_tensor isclose isfinite
        isin isinf isneginf isposinf isreal istft jvp kaiser kron layer_normalization lcm ldexp
        left_shift linalg linspace log10 log2 logaddexp logaddexp2 logdet logical_xor logspace
        lstsq lu_factor map matrix_rank max_pool median meshgrid mod moments multi_hot
        nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
        nanpercentile nanprod nanquantile nanstd nansum nanvar ndim nextafter nn nonzero numpy
        one_hot ones pad percentile pinv polar psnr ptp qr quantile rad2deg ravel real rearrange
        rfft right_shift rms_normalization roll rot90 saturate_cast scan scatter scatter_update
        searchsorted segment_max segment_min segment_prod segment_sum select separable_conv
        shuffle_like signbit sinc size slice slice_update slogdet solve solve_triangular sort
        space_to_depth sparse_categorical_crossentropy sparsemax stft svd switch take_along_axis
        tensordot top_k trace trapezoid tri tril triu trunc unfold unique unravel_index vander
        vdot vectorize vectorized_map view view_as_complex view_as_real vsplit vstack while_loop
        zeros
    """,
    "backend": """
        arange argmax argmin bias_add binary_crossentropy categorical_crossentropy conv1d conv2d
        ctc_batch_cost cumprod cumsum dropout eval eye function gather get_session get_uid
        get_value gradients in_test_phase in_train_phase is_float_dtype is_int_dtype
        is_keras_tensor learning_phase manual_variable_initialization map_fn
        moving_average_update one_hot ones placeholder pool2d print_tensor random_normal
        random_uniform resize_images result_type rnn set_epsilon set_floatx
        set_image_data_format set_learning_phase set_session set_value slice
        sparse_categorical_crossentropy standardize_dtype temporal_padding truncated_normal
        update update_add update_sub variable zeros
    """,
    "activations": """
        deserialize glu log_softmax sparsemax
    """,
    "utils": """
        Config CustomObjectScope FeatureSpace GeneratorEnqueuer OrderedEnqueuer Progbar
        array_to_img audio_dataset_from_directory bounding_boxes clear_session custom_object_scope
        deserialize_keras_object disable_interactive_logging enable_interactive_logging
        get_custom_objects get_registered_name get_registered_object get_source_inputs
        image_dataset_from_directory img_to_array is_interactive_logging_enabled
        is_keras_tensor legacy load_img model_to_dot model_to_yaml multi_gpu_model
        np_utils pack_x_y_sample_weight plot_model register_keras_serializable
        save_img serialize_keras_object split_dataset standardize_dtype
        text_dataset_from_directory unpack_x_y_sample_weight
    """,
    "preprocessing": """
        image image_dataset_from_directory text_dataset_from_directory
    """,
    "datasets": """
        boston_housing california_housing cifar10 cifar100 fashion_mnist
    """,
    "": """
        DTypePolicy FloatDTypePolicy Function Initializer InputSpec KerasTensor Layer Loss
        Metric Operation Optimizer Quantizer Regularizer RematScope StatelessScope
        SymbolicScope Variable applications config device distillation
        distribution dtype_policies estimator export legacy mixed_precision name_scope ops
        quantizers random remat saving tree version visualization wrappers
    """,
}
# alternatives to some of them
_HINTS = {
    "CuDNNLSTM": "use LSTM",
}
# kind of object: what to use in place of attributes of Keras's objects of that kind, their names.
# Setting one with a "!" would change the behaviour of Keras's object, so it is refused here; the
# other names are free for attributes of derived classes.
_INSTEAD = {
    "model": {
        "use fit() or train_on_batch()": "fit_generator train_step!",
        "use evaluate() or test_on_batch()": "evaluate_generator test_step!",
        "use predict()": "predict_generator predict_proba predict_step!",
        "use predict(x).argmax(axis=-1)": "predict_classes",
        "use output_shape": "compute_output_shape",
        "call the object itself": "call!",
        "use save()": "export",
        "use get_config() and from_config()": "to_json to_yaml",
        "": """
            add_loss add_metric add_weight compile_from_config compute_dtype compute_loss!
            compute_metrics! dtype_policy! get_compile_config get_metrics_result input_spec
            jit_compile losses make_predict_function! make_test_function! make_train_function!
            quantize run_eagerly supports_masking! total_loss
        """,
    },
    "layer": {
        "use output_shape": "compute_output_shape",
        "call the object itself": "build call!",
        "use return_state=True": "states",
        "use the layer's own attributes": "cell",
        "": """
            add_loss add_metric add_weight compute_dtype dtype_policy! enable_lora input_spec!
            losses quantize supports_masking!
        """,
    },
    "optimizer": {
        "use learning_rate": "lr",
        "": "apply apply_gradients decay minimize update_step variables weights",
    },
}


def names_of(module: str) -> frozenset[str]:
    """Return the names of a module of Keras that lstmfast's of the same name lacks, or lacked."""
    names = _NAMES.get(module, "").split()
    return frozenset(name.replace("#", digit) for name in names for digit in "123")


def explain_missing(module: str) -> None:
    """Let the errors for names that a module lacks tell which are Keras's; list its own alone."""

    def missing(name: str) -> Any:
        raise missing_name(module, name, sys._getframe(1))

    # set from here: were it written there, type checkers would take every name for known
    names = vars(sys.modules[module])
    names |= {"__getattr__": missing, "__dir__": lambda: names["__all__"]}


def missing_name(module: str, name: str, frame: Any) -> Exception:
    """Return the error for a name that a module lacks; `frame` is that of the code that asks."""
    part = module.partition(".")[2]
    public = sys.modules[module].__all__
    if name in names_of(part):
        theirs = ".".join(filter(None, ("keras", part)))
        instead = _HINTS.get(name) or f"{module} has {', '.join(public)}"
        text = (
            f"{module}.{name} is not available in this version: the name is Keras's "
            f"({theirs}.{name}); {instead}"
        )
    else:
        alike = [each for each in public if each.lower() == name.lower()]
        hint = f"; did you mean {alike[0]!r}?" if alike else ""
        text = f"module {module!r} has no attribute {name!r}{hint}"
        if not alike:
            return AttributeError(text)
    # `from module import name` would replace an AttributeError by an ImportError with another text
    return ImportError(text, name=module) if _imports(frame) else AttributeError(text)


def _imports(frame: Any) -> bool:
    """Tell whether a frame is in the middle of ``from module import name``."""
    from opcode import opname

    instruction: int = frame.f_code.co_code[frame.f_lasti]
    return opname[instruction] == "IMPORT_FROM"


def explain_attributes(of: type, kind: str) -> None:
    """Let a class raise errors for Keras's attributes that it lacks; they name the alternative.

    kind: "model", "layer" or "optimizer".
    """

    def missing(hint: str, owner: type, name: str) -> AttributeError:
        text = f"{owner.__name__}.{name} is Keras's and not available in this version"
        return AttributeError("; ".join(filter(None, (text, hint))), name=name)

    explain(of, _INSTEAD[kind], missing)
