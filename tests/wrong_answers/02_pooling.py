# %% blur: the number at
def max_blur_pool(signal):
    larger = np.array(signal, dtype=float)
    larger[:-1] = np.maximum(larger[:-1], larger[1:])
    return (0.25 * np.roll(larger, 1) + 0.5 * larger + 0.25 * np.roll(larger, -1))[::2]
# %% blur: the number at
def max_blur_pool(signal):
    larger = np.maximum(signal, np.roll(signal, -1))
    blurred = np.zeros_like(larger)
    blurred[:] = 0.25 * np.roll(larger, 1) + 0.5 * larger + 0.25 * np.roll(larger, -1)
    return blurred[::2]
