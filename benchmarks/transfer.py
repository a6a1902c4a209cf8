"""What a pretrained network gains on few photos: the stored comparison of notebook 07.

    python benchmarks/transfer.py [--seeds 5] [--jobs 1]

Cats and dogs, 3,000 real photos, and MobileNet (α = 0.5, 160×160) with its ImageNet weights: both
must be there (`course data fetch pets pretrained`). Each seed deals the photos anew: up to 1,000 of
each class to train with, 500 to choose the epoch and the rate with, 500 to judge with, which choose
nothing. Three ways, alike in their photos, in their batches and in what is varied about a photo:
each time it is seen, a coin says whether mirrored.

- from scratch: a network for few photos, 96×96, all weights trained
- frozen: a new head on the features of the frozen MobileNet
- fine-tuned: with that head, the weights of MobileNet's last block trained as well, its batch
  normalization in inference mode

Each is trained at three learning rates until it has not improved for 10 rounds on the photos to
choose with, and goes back to its best round. Better is what has more of them right, as the judging
goes by that too, and among equals what has the lower loss. (By the loss alone, a network from
scratch on few photos would stop before it has learned: it is surely wrong, and its loss grows.) A
round is one pass over the photos, or as many as make 8 steps. What frozen layers give is computed
once for each photo and for its mirror image, which changes no result. `cpu_seconds` are of the
training at the rate that was chosen, with the share of that computation that its photos need. Goes
on where it was interrupted.
"""

from functools import cache, partial
from pathlib import Path
from time import process_time

import numpy as np
import sweep
from dealing import everything
from ratios import row

from course_utils import data, experiments, importing

RESULT = Path(__file__).parents[1] / "data" / "results" / "transfer.jsonl"
EACH = (5, 10, 40, 200, 1000)  # photos of each class
HELD_OUT = 500  # photos to choose with, and as many to judge with
BATCH, STEPS, PATIENCE = 32, 8, 10
RATES = {
    "from scratch": (0.0003, 0.001, 0.003),
    "frozen": (0.001, 0.003, 0.01),
    "fine-tuned": (0.00003, 0.0001, 0.0003),
}
SETTINGS = {"data": "Cats and Dogs, 3,000 photos", "photos of each class": list(EACH)}
SETTINGS |= {"held out": [HELD_OUT, HELD_OUT], "network": "MobileNet, α = 0.5, 160×160"}
SETTINGS |= {"rates": {way: list(rates) for way, rates in RATES.items()}, "optimizer": "adam"}
SETTINGS |= {"batch_size": BATCH, "patience": PATIENCE, "varied": "mirrored or not"}


@cache
def frozen_part():
    """Return what enters MobileNet's last block, the block, and the CPU-seconds for one image.

    The first has the shape (photos, 2, 5, 5, 512): each photo as it is, and mirrored.
    """
    import keras

    images, _ = everything("pets", "real", 160)
    whole = keras.applications.MobileNet(
        alpha=0.5,
        input_shape=(160, 160, 3),
        include_top=False,
        weights=str(importing.pretrained()),
    )
    border = whole.get_layer("conv_pw_12_relu").output
    before, block = keras.Model(whole.inputs, border), keras.Model(border, whole.output)
    for layer in block.layers:  # a training=False in the call is overridden in training
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    entering, start = np.empty((len(images), 2, *border.shape[1:]), "float32"), process_time()
    for at in range(0, len(images), BATCH):
        part = images[at : at + BATCH]
        for mirrored, shown in enumerate((part, part[:, :, ::-1])):
            entering[at : at + BATCH, mirrored] = before.predict_on_batch(
                keras.applications.mobilenet.preprocess_input(shown.astype("float32"))
            )
    return entering, block, (process_time() - start) / len(images) / 2


@cache
def inputs(way):
    """Return the input of a way's network for each photo, and for its mirror image."""
    if way == "from scratch":
        images, _ = everything("pets", "real", 96)
        return np.stack([images, images[:, :, ::-1]], axis=1)
    entering, block, _ = frozen_part()
    if way == "fine-tuned":
        return entering
    features = [block.predict(side, verbose=0).mean((1, 2)) for side in entering.swapaxes(0, 1)]
    return np.stack(features, axis=1)


def build(way):
    """Return the network of a way, from its `inputs` to the probability of a dog."""
    import keras
    from keras import layers

    entrance = x = keras.Input(inputs(way).shape[2:])
    if way == "from scratch":
        x = layers.Rescaling(1 / 127.5, -1)(x)
        for filters, size, stride in ((16, 5, 2), (32, 3, 1), (64, 3, 1), (128, 3, 1)):
            x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)  # few steps: 0.99 would still be at 0, 1
            x = layers.ReLU()(x)
            x = layers.MaxPooling2D(2)(x) if filters < 128 else x
    if way == "fine-tuned":
        x = frozen_part()[1](x)
    if way != "frozen":
        x = layers.GlobalAveragePooling2D()(x)
    # A head of zeros: 512 random weights would drown what ten photos can teach.
    start = "glorot_uniform" if way == "from scratch" else "zeros"
    return keras.Model(entrance, layers.Dense(1, "sigmoid", kernel_initializer=start)(x))


@cache
def compiled(way):
    """Return the network of a way, compiled once for all rates and seeds, and its first weights."""
    import keras

    model = build(way)
    model.compile(keras.optimizers.Adam(), "binary_crossentropy")
    return model, model.get_weights()


def scores(model, x, labels):
    """Return the mean loss and the accuracy on photos that are not mirrored."""
    wanted = labels[:, None]
    dog = model.predict(x, batch_size=100, verbose=0)
    chance = np.clip(np.where(wanted, dog, 1 - dog), 1e-7, 1)
    return -np.log(chance).mean(), ((dog > 0.5) == wanted).mean()


def quality(found):
    """Return what is larger for a better result on the photos to choose with."""
    return found["val_accuracy"], -found["val_loss"]


def train(way, rate, seed, parts, head=None):
    """Train a way at one rate until validation stops improving; return the scores of its best."""
    from course_utils import training

    (model, first), x, (_, labels) = compiled(way), inputs(way), everything("pets", "real", 160)
    start, rng, (learn, choose, judge) = process_time(), np.random.default_rng(seed), parts
    model.optimizer.learning_rate = rate
    training.restart(model, seed)
    if head:
        model.set_weights(first[:-2] + head)
    passes, wanted = -(-STEPS // -(-len(learn) // BATCH)), labels[learn, None]
    best, rounds = {"val_accuracy": 0, "val_loss": np.inf, "rounds": 0}, 0
    while rounds - best["rounds"] < PATIENCE:
        rounds += 1
        for _ in range(passes):
            shown = x[learn, rng.integers(2, size=len(learn))]
            order = rng.integers(1e9)
            training.fit(model, shown, wanted, epochs=1, batch_size=BATCH, seed=order)
        loss, accuracy = scores(model, x[choose, 0], labels[choose])
        now = {"val_accuracy": accuracy, "val_loss": loss, "rounds": rounds}
        if quality(now) > quality(best):
            best, weights = now, model.get_weights()
    model.set_weights(weights)
    best["loss"], best["accuracy"] = scores(model, x[judge, 0], labels[judge])
    return best | {"rate": rate, "cpu_seconds": process_time() - start, "head": weights[-2:]}


def run(seed, way, each):
    """Train a way at its three rates; return what the best on validation photos reached."""
    _, labels = everything("pets", "real", 160)
    choose, judge, learn = np.split(data.shuffled(labels, seed), [HELD_OUT, 2 * HELD_OUT])
    parts = learn[: 2 * each], choose, judge

    def best(way, **options):
        found = [train(way, rate, seed, parts, **options) for rate in RATES[way]]
        return max(found, key=quality), [each["val_accuracy"] for each in found]

    chosen, tried = best("frozen" if way == "fine-tuned" else way)
    before = 0
    if way != "from scratch":  # each photo, and the mirror images of those to train with
        before = (4 * each + 2 * HELD_OUT) * frozen_part()[2]
    if way == "fine-tuned":
        before += chosen["cpu_seconds"]
        chosen, tried = best(way, head=chosen["head"])
    chosen["cpu_seconds"] += before
    del chosen["head"]
    return chosen | {"rates_val_accuracy": tried}


def ratios():
    """Return the rows of `make bench`: test errors against those of training from scratch."""
    table = experiments.load(RESULT)
    wide = 1 - table.pivot(index="seed", columns="variant", values="accuracy")
    return [
        row(
            f"test error, {way} / from scratch, {each} photos a class",
            wide[f"{way}, {each}"] / wide[f"from scratch, {each}"],
        )
        for each in (10, 1000)
        for way in ("frozen", "fine-tuned")
    ]


def main():
    options = sweep.options(__doc__, seeds=5, jobs=1)
    variants = {
        f"{way}, {each}": partial(run, way=way, each=each) for each in EACH for way in RATES
    }
    with sweep.processes(options.jobs) as executor:
        table = sweep.compare(variants, range(options.seeds), executor, RESULT, SETTINGS)
    columns = ["accuracy", "loss", "rounds", "rate", "cpu_seconds"]
    print(table.groupby("variant", sort=False)[columns].mean().to_string())


if __name__ == "__main__":
    main()
