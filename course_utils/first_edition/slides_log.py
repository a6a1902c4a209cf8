"""The training log that the slides print: their network, MNIST, ten epochs, batches of 128.

In the form of Keras' ``History.history``, so that the same functions draw it. The slides pass the
test set as validation data; each epoch took 43 s there (469 steps of 92 to 93 ms).
"""

SLIDES_LOG = {
    "loss": [0.2240, 0.0591, 0.0430, 0.0331, 0.0260, 0.0210, 0.0176, 0.0138, 0.0101, 0.0104],
    "accuracy": [0.9348, 0.9821, 0.9868, 0.9898, 0.9919, 0.9935, 0.9947, 0.9956, 0.9968, 0.9967],
    "val_loss": [0.0599, 0.0449, 0.0379, 0.0374, 0.0346, 0.0333, 0.0318, 0.0308, 0.0321, 0.0318],
    "val_accuracy": [
        *(0.9820, 0.9860, 0.9868, 0.9881, 0.9889),
        *(0.9887, 0.9897, 0.9905, 0.9910, 0.9901),
    ],
}
SLIDES_SECONDS_PER_EPOCH = 43
