# Wrong answers to the exercises of notebook 06, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% real: the best seed
def judge(before, after):
    return "better" if np.max(after) > np.max(before) else "worse"

# %% real: the mean alone
def judge(before, after):
    gain = np.mean(after) - np.mean(before)
    return "better" if gain > 0 else "worse"

# %% real: as if they were not paired
def judge(before, after):
    gain = np.mean(after) - np.mean(before)
    noise = np.std(before, ddof=1) ** 2 / len(before) + np.std(after, ddof=1) ** 2 / len(after)
    if abs(gain) < 2 * np.sqrt(noise):
        return "not clear"
    return "better" if gain > 0 else "worse"

# %% real: the standard deviation of single differences
def judge(before, after):
    gain = np.asarray(after) - np.asarray(before)
    if abs(gain.mean()) < gain.std(ddof=1):
        return "not clear"
    return "better" if gain.mean() > 0 else "worse"

# %% real: below zero as well
import course_utils as cu
def judge(before, after):
    gain = cu.metrics.paired(after, before)
    return "better" if gain.excludes_zero else "not clear"

# %% real: Student's
def judge(before, after):
    gain = np.asarray(after) - np.asarray(before)
    half = 1.96 * gain.std(ddof=1) / np.sqrt(len(gain))
    if abs(gain.mean()) < half:
        return "not clear"
    return "better" if gain.mean() > 0 else "worse"

# %% real: 90 % interval
import course_utils as cu
def judge(before, after):
    gain = cu.metrics.paired(after, before, level=0.9)
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "not clear"

# %% real: the other way round
import course_utils as cu
def judge(before, after):
    gain = cu.metrics.paired(before, after)
    return "better" if gain.low > 0 else "worse" if gain.high < 0 else "not clear"

# %% real: must be text
def judge(before, after):
    return np.mean(after) > np.mean(before)

# %% anomaly: the other way round
def averages_after(mean, variance, momentum, steps):
    left = (1 - momentum) ** steps
    return (1 - left) * mean, left + (1 - left) * variance

# %% anomaly: starts at 1
def averages_after(mean, variance, momentum, steps):
    left = momentum**steps
    return (1 - left) * mean, (1 - left) * variance

# %% anomaly: not always the same amount
def averages_after(mean, variance, momentum, steps):
    left = max(0, 1 - steps * (1 - momentum))
    return (1 - left) * mean, left + (1 - left) * variance

# %% anomaly: one step too few
def averages_after(mean, variance, momentum, steps):
    left = momentum ** (steps - 1)
    return (1 - left) * mean, left + (1 - left) * variance

# %% anomaly: reached only after many steps
def averages_after(mean, variance, momentum, steps):
    return mean, variance

# %% fold: epsilon
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance)
    return kernel * scale, (bias - mean) * scale + beta

# %% fold: the wrong axis
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale[:, None], (bias - mean) * scale + beta

# %% fold: the convolution's own bias
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale

# %% fold: the bias must be scaled
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, bias + beta - mean * scale

# %% fold: square root
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / (variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta

# %% fold: two things
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    return kernel * gamma / np.sqrt(variance + epsilon)

# %% fold: the kernel is off
def fold(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = 1 / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta

# %% budget: over the cap
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

# %% budget: yours goes from
def build():
    head = [keras.layers.Flatten(), keras.layers.Dense(1, activation="sigmoid")]
    return keras.Sequential([keras.Input((28, 28, 1)), *head])

# %% budget: must return a Keras model
def build():
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")])
