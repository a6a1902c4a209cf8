"""The layers of a Keras model in the order of computation, nested models expanded."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True)
class Step:
    """One call of one layer (or of an operation such as `x + y`).

    Attributes
    ----------
    name : str
        The layer's name; `model/layer` inside a nested model.
    layer : keras.Operation
    inputs, output : tuple of int, int
        Numbers of the tensors that go in and come out; 0 is the model's input.
    input_shape, output_shape : tuple of int
        Without the batch.
    parameters : int
        0 where a shared layer is called again, so that the sum is the model's.
    """

    name: str
    layer: object
    inputs: tuple
    output: int
    input_shape: tuple
    output_shape: tuple
    parameters: int

    @property
    def type(self):
        """Name of the layer's class."""
        return type(self.layer).__name__

    def __str__(self):
        """Name and type, for messages."""
        return f"{self.name!r} ({self.type})"


def as_functional(model):
    """Return the functional graph of a Sequential or functional model.

    Raises
    ------
    ValueError
        For anything else, and for a Sequential model whose input is not known yet.
    """
    from keras import Model, Sequential
    from keras.src.models.functional import Functional

    if isinstance(model, Functional):
        return model
    if isinstance(model, Sequential):
        if not model.built:
            raise ValueError(
                f"model must be built: {model.name!r} does not know its input yet; "
                "put keras.Input((rows, columns, channels)) first"
            )
        # Keras offers no public way to the tensors between the layers of a Sequential.
        return model._functional
    kind = "a subclassed model" if isinstance(model, Model) else f"a {type(model).__name__}"
    raise ValueError(f"model must be keras.Sequential or a functional keras.Model: got {kind}")


def steps(model):
    """List every call of a layer in `model`, inputs first.

    Raises
    ------
    ValueError
        When the model is not built, has more than one input, or an input of no fixed size.
    """
    graph = as_functional(model)
    if len(graph.inputs) != 1:
        raise ValueError(f"model must have one input: {model.name!r} has {len(graph.inputs)}")
    listed, numbers, seen = [], count(1), set()

    def shape_of(tensor, name):
        shape = tuple(tensor.shape[1:])
        if None in shape:
            raise ValueError(
                f"model must have an input of fixed size: {name!r} works on the shape {shape}"
            )
        return shape

    def walk(graph, prefix, known):
        for depth in sorted(graph._nodes_by_depth, reverse=True):
            for node in graph._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                layer, name = node.operation, prefix + node.operation.name
                tensors = node.arguments.keras_tensors
                inputs = [known[id(tensor)] for tensor in tensors]
                if hasattr(layer, "layers"):
                    inner = as_functional(layer)
                    here = dict(zip(map(id, inner.inputs), inputs, strict=True))
                    walk(inner, name + "/", here)
                    made = [here[id(tensor)] for tensor in inner.outputs]
                    known.update(zip(map(id, node.outputs), made, strict=True))
                    continue
                known[id(node.outputs[0])] = output = next(numbers)
                again = id(layer) in seen or not hasattr(layer, "count_params")
                seen.add(id(layer))
                listed.append(
                    Step(
                        name,
                        layer,
                        tuple(inputs),
                        output,
                        shape_of(tensors[0], name),
                        shape_of(node.outputs[0], name),
                        0 if again else int(layer.count_params()),
                    )
                )

    walk(graph, "", {id(graph.inputs[0]): 0})
    return listed
