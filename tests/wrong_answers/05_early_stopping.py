# Wrong answers to the exercises of notebook 05, as students write them. Each block begins with the
# exercise's name and a part of the message that the check must answer with.

# %% replay: the result should be
def replay(curve, patience):
    before, best_epoch, wait = float("inf"), 0, 0
    for epoch, value in enumerate(curve, start=1):
        if value < before:
            best_epoch, wait = epoch, 0
        else:
            wait += 1
            if wait >= patience:
                break
        before = value
    return epoch, best_epoch

# %% replay: curve (10,), patience 1, the result should be 3, 2
def replay(curve, patience):
    best_epoch = int(np.argmin(curve)) + 1
    return min(best_epoch + patience, len(curve)), best_epoch

# %% mend: without improvement (patience 2)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% mend: keeps the weights of 37
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% mend: and val_loss has only fallen
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, mode="max", restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% mend: never stops (patience 5)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("loss", patience=5, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% mend: mended_fit raised ValueError
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_acc", patience=5, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% mend: class weights
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(
        images, labels, epochs=epochs, class_weight={0: 0.5, 1: 0.5}, validation_data=validation_data, callbacks=[stop], verbose=0
    )

# %% mend: train for up to
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
    return model.fit(images, labels, epochs=100, validation_data=validation_data, callbacks=stop)

# %% mend: call model.fit once: it was called 0 times
def mended_fit(model, images, labels, validation_data, epochs):
    return keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)

# %% mend: return what fit returns
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=[stop])
    return model

# %% mend: let fit validate on
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping(patience=5, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_split=0.2, callbacks=[stop])

# %% mend: it never stops.
def mended_fit(model, images, labels, validation_data, epochs):
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data)

# %% mend: never stops (patience 50)
def mended_fit(model, images, labels, validation_data, epochs):
    stop = keras.callbacks.EarlyStopping("val_accuracy", patience=50, restore_best_weights=True)
    return model.fit(images, labels, epochs=epochs, validation_data=validation_data, callbacks=stop)

# %% budget: the result should be
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 11):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if max(len(run.states) for run in runs) <= budget:
            losses = [row[run.best_epoch - 1] for row, run in zip(second, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get, default=1)

# %% budget: the result should be 10: got
from course_utils.stopping import early_stopping

def choose_patience(validation, second, budget):
    found = {}
    for patience in range(1, 10):
        runs = [early_stopping(curve, patience=patience) for curve in validation]
        if np.mean([len(run.states) for run in runs]) <= budget:
            losses = [row[run.best_epoch - 1] for row, run in zip(second, runs)]
            found[patience] = np.mean(losses)
    return min(found, key=found.get)

# %% up3: the result should be
def up3(validation, strip=5):
    rises = 0
    for end in range(2 * strip, len(validation) + 1, strip):
        rises = rises + 1 if validation[end - 1] > min(validation[: end - 1]) else 0
        if rises == 3:
            return end
    return len(validation)

# %% up3: the result should be
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] >= ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip
    return len(validation)

# %% up3: up3 returned None
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[k - 1] else 0
        if rises == 3:
            return (k + 1) * strip

# %% up3: the result should be
def up3(validation, strip=5):
    rises, ends = 0, validation[strip - 1 :: strip]
    for k in range(1, len(ends)):
        rises = rises + 1 if ends[k] > ends[0] else 0
        if rises == 3:
            return (k + 1) * strip
    return len(validation)
# %% up3: should be
def up3(validation, strip=5):
    ends = list(range(strip, len(validation) + strip, strip))
    risen = 0
    for before, end in zip(ends, ends[1:]):
        higher = validation[min(end, len(validation)) - 1] > validation[before - 1]
        risen = risen + 1 if higher else 0
        if risen == 3:
            return end
    return len(validation)
