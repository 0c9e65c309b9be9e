"""Air passengers: the next month from the twelve before it, on the series of 1949 to 1960.

Thousands of passengers a month, from Box, Jenkins and Reinsel, Time Series Analysis, series G. The
model learns from the first two thirds; the last third is judged, next to the forecast that each
month is as the one before it.

Runs with Keras, too: change the line of its import to `import keras`.
"""

import sys

import numpy as np

import lstmfast.keras as keras

PASSENGERS = """
112 118 132 129 121 135 148 148 136 119 104 118 115 126 141 135 125 149 170 170 158 133 114 140
145 150 178 163 172 178 199 199 184 162 146 166 171 180 193 181 183 218 230 242 209 191 172 194
196 196 236 235 229 243 264 272 237 211 180 201 204 188 235 227 234 264 302 293 259 229 203 229
242 233 267 269 270 315 364 347 312 274 237 278 284 277 317 313 318 374 413 405 355 306 271 306
315 301 356 348 355 422 465 467 404 347 305 336 340 318 362 348 363 435 491 505 404 359 310 337
360 342 406 396 420 472 548 559 463 407 362 405 417 391 419 461 472 535 622 606 508 461 390 432
"""


def create_dataset(dataset, look_back):
    dataX = [dataset[i : i + look_back] for i in range(len(dataset) - look_back)]
    return np.array(dataX)[..., np.newaxis], dataset[look_back:]


def rmse(forecast, actual):
    return float(np.sqrt(np.mean((forecast - actual) ** 2)))


def main(seed=0, epochs=150):
    keras.utils.set_random_seed(seed)
    passengers = np.array(PASSENGERS.split(), dtype="float32")
    train_size, look_back = int(len(passengers) * 0.67), 12
    growth = np.diff(np.log(passengers))  # from month to month: it has no trend
    scale = growth[: train_size - 1].std()
    trainX, trainY = create_dataset(growth[: train_size - 1] / scale, look_back)
    testX, _ = create_dataset(growth[train_size - 1 - look_back :] / scale, look_back)

    model = keras.Sequential()
    model.add(keras.layers.LSTM(32, input_shape=(look_back, 1)))
    model.add(keras.layers.Dense(1))
    model.compile(loss="mean_squared_error", optimizer=keras.optimizers.Adam(0.005))
    model.fit(trainX, trainY, epochs=epochs, batch_size=8, verbose=0)

    before, actual = passengers[train_size - 1 : -1], passengers[train_size:]
    forecast = before * np.exp(scale * model.predict(testX, verbose=0).ravel())
    error, naive = rmse(forecast, actual), rmse(before, actual)
    print(f"test score: {error:.1f} RMSE; {naive:.1f} where each month is as the one before it")
    return error / naive


def is_right(found):
    return found <= 0.8


if __name__ == "__main__":
    sys.exit(0 if is_right(main()) else 1)
