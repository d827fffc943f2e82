"""A Keras network of this project as a PyTorch module with the same weights, so that both can be timed.

The layers are PyTorch's own (nn.LSTM, nn.Conv2d, …). Images are channels first inside, as PyTorch has them, and last
outside, as Keras; `Network(keras_model)(inputs)` gives what `keras_model(inputs)` gives, up to rounding.
"""

from collections.abc import Callable

import keras
import numpy as np
import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS = {"linear": lambda x: x, "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid,
               "elu": functional.elu}


def first(x: torch.Tensor) -> torch.Tensor:
    """Channels of an image first."""
    return x.permute(0, 3, 1, 2) if x.ndim == 4 else x


def last(x: torch.Tensor) -> torch.Tensor:
    """Channels of an image last."""
    return x.permute(0, 2, 3, 1) if x.ndim == 4 else x


def activation(layer) -> Callable[[torch.Tensor], torch.Tensor]:
    """The activation of a Keras layer."""
    name = layer.activation.__name__
    if name == "wide_elu":  # softmax_ae's
        return lambda x: functional.celu(x, 4.0)
    return ACTIVATIONS[name]


def tensor(array: np.ndarray) -> nn.Parameter:
    """A trainable tensor."""
    return nn.Parameter(torch.tensor(np.array(array)))


class Linear(nn.Module):
    """Dense, with its activation."""

    def __init__(self, layer):
        super().__init__()
        self.weight, self.activation = tensor(layer.kernel.numpy().T), activation(layer)
        self.bias = tensor(layer.bias.numpy()) if layer.use_bias else None

    def forward(self, x):
        """Channels first."""
        return self.activation(functional.linear(x, self.weight, self.bias))


class Convolution(nn.Module):
    """Conv2D and Conv2DTranspose with padding as Keras's "same" or "valid", and their activation."""

    def __init__(self, layer):
        super().__init__()
        self.transposed = isinstance(layer, keras.layers.Conv2DTranspose)
        self.weight, self.bias = tensor(layer.kernel.numpy().transpose(3, 2, 0, 1)), tensor(layer.bias.numpy())
        self.stride, self.size = layer.strides, layer.kernel_size
        self.same, self.activation = layer.padding == "same", activation(layer)

    def forward(self, x):
        """Channels first."""
        both = list(zip(self.size, self.stride, strict=True))
        if self.transposed:  # out = (in - 1) stride - 2 padding + kernel + output_padding: stride times as many
            padding = [max(0, size - stride + 1) // 2 if self.same else 0 for size, stride in both]
            more = [stride - size + 2 * pad if self.same else 0
                    for (size, stride), pad in zip(both, padding, strict=True)]
            x = functional.conv_transpose2d(x, self.weight, self.bias, self.stride, padding, more)
        else:
            total = [max(0, size - (stride if n % stride == 0 else n % stride)) if self.same else 0
                     for (size, stride), n in zip(both, x.shape[2:], strict=True)]
            if any(one % 2 for one in total):  # Keras pads more at the end
                x = functional.pad(x, [side for one in total[::-1] for side in (one // 2, one - one // 2)])
                total = (0, 0)
            x = functional.conv2d(x, self.weight, self.bias, self.stride, [one // 2 for one in total])
        return self.activation(x)


class Normalization(nn.Module):
    """Batch normalization."""

    def __init__(self, layer):
        super().__init__()
        self.inner = nn.BatchNorm2d(layer.gamma.shape[0], layer.epsilon, 1 - layer.momentum)
        for name, value in (("weight", layer.gamma), ("bias", layer.beta), ("running_mean", layer.moving_mean),
                            ("running_var", layer.moving_variance)):
            getattr(self.inner, name).data.copy_(torch.tensor(value.numpy()))

    def forward(self, x):
        """Channels first."""
        return self.inner(x)


class Recurrent(nn.Module):
    """An LSTM layer; its last state, or every one. The bias on the state's side is kept where Keras has none: zero."""

    def __init__(self, cells, sequences):
        super().__init__()
        kernel, units = cells[0].kernel, cells[0].recurrent_kernel.shape[0]
        self.inner = nn.LSTM(kernel.shape[0], units, batch_first=True, bidirectional=len(cells) > 1)
        self.sequences = sequences
        for cell, suffix in zip(cells, ("l0", "l0_reverse"), strict=False):
            other = getattr(cell, "recurrent_bias", None)
            for name, value in (("weight_ih", cell.kernel.numpy().T), ("weight_hh", cell.recurrent_kernel.numpy().T),
                                ("bias_ih", cell.bias.numpy()),
                                ("bias_hh", 0 * cell.bias.numpy() if other is None else other.numpy())):
                getattr(self.inner, f"{name}_{suffix}").data.copy_(torch.tensor(value))
                if name == "bias_hh" and other is None:
                    getattr(self.inner, f"{name}_{suffix}").requires_grad_(False)

    def forward(self, x, start=None):
        """Channels first."""
        every, (state, _) = self.inner(x, None if start is None else (start[None], start[None]))
        return every if self.sequences else torch.cat(list(state), dim=-1)


class Tracks(nn.Module):
    """musae's LSTMs side by side, one per track."""

    def __init__(self, layer):
        super().__init__()
        self.inner = nn.ModuleList(Recurrent([lstm.cell], True) for lstm in layer.lstms)

    def forward(self, *inputs):
        """Channels first."""
        count = len(self.inner)
        return [lstm(x, start.contiguous())
                for lstm, x, start in zip(self.inner, inputs[:count], inputs[count:], strict=True)]


def standardised(content: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """lord_transfer's AdaIN; content (batch, channels, height, width), parameters (batch, channels, 2)."""
    variance, mean = torch.var_mean(content, dim=(2, 3), keepdim=True, correction=0)
    parameters = parameters[:, :, None, None]
    return parameters[..., 1] * (content - mean) / (variance.sqrt() + 1e-7) + parameters[..., 0]


def plain(layer, arguments):
    """The function of a layer without weights, as `function(*tensors)`; images channels first."""
    kind = type(layer).__name__
    if kind == "Reshape":
        shape = layer.target_shape
        return lambda x: first(last(x).reshape(len(x), *shape))
    found = {
        "Flatten": lambda x: last(x).flatten(1),
        "ReLU": torch.relu,
        "LeakyReLU": lambda x: functional.leaky_relu(x, layer.negative_slope),
        "Activation": lambda x: activation(layer)(x),
        "UpSampling2D": lambda x: functional.interpolate(x, scale_factor=tuple(map(float, layer.size))),
        "AveragePooling2D": lambda x: functional.avg_pool2d(x, layer.pool_size, layer.strides),
        "Concatenate": lambda *x: torch.cat(x, dim=-1),
        "AdaptiveInstanceNormalization": standardised,
        "GetItem": lambda x: last(x)[arguments[1]],
        "Rescaling": lambda x: x * layer.scale + layer.offset,
        "Permute": lambda x: x.permute(0, *layer.dims),
        "RepeatVector": lambda x: x[:, None].expand(-1, layer.n, -1),
        "Stack": lambda *x: first(torch.stack(x, dim=-1)),
    }
    if kind not in found:
        raise NotImplementedError(f"no PyTorch for the layer {kind} ({layer.name})")
    return found[kind]


def module(layer, arguments) -> nn.Module | None:
    """The PyTorch module of a layer with weights; None of one without."""
    if isinstance(layer, keras.layers.Dense):
        return Linear(layer)
    if isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
        return Convolution(layer)
    if isinstance(layer, keras.layers.BatchNormalization):
        return Normalization(layer)
    if isinstance(layer, keras.layers.Embedding):
        return nn.Embedding.from_pretrained(torch.tensor(layer.embeddings.numpy()), freeze=False)
    if isinstance(layer, keras.layers.Bidirectional):
        one, other = layer.forward_layer, layer.backward_layer
        return Recurrent([one.cell, other.cell], one.return_sequences)
    if isinstance(layer, keras.layers.RNN):
        return Recurrent([layer.cell], layer.return_sequences)
    if type(layer).__name__ == "SideBySide":
        return Tracks(layer)
    if "Dropout" in type(layer).__name__:
        return nn.Dropout(layer.rate)
    return None


class Network(nn.Module):
    """See the module. Called with the network's inputs in their order; returns a tensor, or a list of them."""

    def __init__(self, network: keras.Model):
        super().__init__()
        self.steps, modules = [], {}
        for node in [node for _, nodes in sorted(network._nodes_by_depth.items(), reverse=True) for node in nodes]:
            layer = node.operation
            if isinstance(layer, keras.layers.InputLayer):
                continue
            inner = module(layer, node.arguments.args)
            if inner is not None:
                modules[f"layer_{len(self.steps)}"] = inner
            self.steps.append((inner or plain(layer, node.arguments.args), [id(x) for x in node.input_tensors],
                               [id(x) for x in node.output_tensors]))
        self.inner = nn.ModuleDict(modules)
        self.inputs, self.outputs = [id(x) for x in network.inputs], [id(x) for x in network.outputs]
        self.one = not isinstance(network.output, list | tuple)

    def forward(self, *inputs):
        """Channels first."""
        held = {key: first(x) for key, x in zip(self.inputs, inputs, strict=True)}
        for function, before, after in self.steps:
            made = function(*(held[key] for key in before))
            held |= zip(after, made if isinstance(made, list) else [made], strict=True)
        found = [last(held[key]) for key in self.outputs]
        return found[0] if self.one else found
