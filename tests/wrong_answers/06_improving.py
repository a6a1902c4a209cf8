# Wrong answers to the exercises of notebook 06, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% real: should be 'not clear': got 'better'
def judge(before, after):
    return "better" if np.max(after) > np.max(before) else "worse"

# %% real: should be 'not clear': got
import course_utils as cu
def judge(before, after):
    gain = cu.metrics.paired(after, before, level=0.9)
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "not clear"

# %% real: must be text
def judge(before, after):
    return np.mean(after) > np.mean(before)

# %% anomaly: the result should be
def averages_after(mean, variance, momentum, steps):
    left = momentum ** (steps - 1)
    return (1 - left) * mean, left + (1 - left) * variance

# %% fold: a number of result 2 should be
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale

# %% fold: return 2 results
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    return kernel * gamma / np.sqrt(variance + epsilon)

# %% fold: a number of result 1 should be
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = 1 / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta

# %% budget: are over 300,000
from course_utils import models
build = models.slides_network

# %% budget: must lie above zero
def build():
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )

# %% budget: probabilities
def build():
    head = [keras.layers.Flatten(), keras.layers.Dense(10)]
    return keras.Sequential([keras.Input((28, 28, 1)), *head])

# %% budget: (None, 10)
def build():
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Dense(10, activation="softmax")]
    )

# %% budget: is asked for: got
def build():
    head = [keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([keras.Input((28, 28, 1)), *head])

# %% budget: must return a Keras model
def build():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
# %% fold: should be
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    folded = np.zeros_like(kernel)
    folded[:3, :3] = kernel[:3, :3] * scale
    return folded, beta + (bias - mean) * scale
