"""The training step of each paper's main model in PyTorch, eager, as one would write it by hand.

`STEPS[paper](learner, config, batch)` returns a function that makes one step; its networks begin with the learner's
weights. What is random is drawn by PyTorch.
"""

from collections.abc import Callable

import keras
import numpy as np
import torch
from torch.nn import functional

from benchmarks.translated import Network

torch.set_num_threads(1)


def translated(learner, check: dict) -> dict:
    """{name: Network} of a learner, after a look that each of `check` gives what Keras gives for random inputs.

    Raises:
        AssertionError: it does not.
    """
    random, found = np.random.default_rng(0), {}
    for name, network in learner.networks.items():
        if name not in check:
            continue
        inputs = [random.random((2, *[check[name] if size is None else size for size in x.shape[1:]]), np.float32)
                  if "int" not in str(x.dtype) else np.zeros(2, np.int32) for x in network.inputs]
        found[name] = Network(network)
        found[name].eval()
        with torch.no_grad():
            got = found[name](*map(torch.tensor, inputs))
        wanted = network(inputs if len(inputs) > 1 else inputs[0], training=False)
        for a, b in zip(*[[one] if not isinstance(one, list | tuple) else one for one in (got, wanted)], strict=True):
            np.testing.assert_allclose(a.numpy(), np.asarray(b), rtol=1e-3, atol=1e-4, err_msg=name)
        found[name].train()
    return found


def adam(networks: list, optimizer: keras.optimizers.Optimizer) -> torch.optim.Adam:
    """Adam with the settings of a Keras optimizer."""
    rate = float(optimizer.learning_rate)
    return torch.optim.Adam([weight for network in networks for weight in network.parameters() if weight.requires_grad],
                            rate, (optimizer.beta_1, optimizer.beta_2), optimizer.epsilon)


def stepping(optimizer: torch.optim.Optimizer, loss: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
    """A function that makes one step on `loss()`."""
    def step():
        optimizer.zero_grad(set_to_none=True)
        value = loss()
        value.backward()
        optimizer.step()
        return value

    return step


def softmax_ae(learner, config, batch):
    """Equation 3."""
    networks = translated(learner, dict.fromkeys(("encoder", "decoder", "classifier"), 0))
    x, y = torch.tensor(batch["x"]), torch.tensor(batch["y"]).long()

    def loss():
        z = networks["encoder"](x)
        error = functional.mse_loss(networks["decoder"](z), x) * (x.shape[1] if config.reconstruction == "sum" else 1)
        return (config.gamma * config.reconstruction_weight * error
                + (1 - config.gamma) * functional.cross_entropy(networks["classifier"](z), y))

    return stepping(adam(list(networks.values()), learner.optimizers["main"]), loss)


def symphony2vec(learner, config, batch):
    """Cross entropy of the LSTM of section 3.2."""
    network = translated(learner, {"classifier": 0})["classifier"]
    x, y = torch.tensor(batch["x"]), torch.tensor(batch["label"]).long()
    return stepping(adam([network], learner.optimizers["classifier"]),
                    lambda: functional.cross_entropy(network(x), y))


def fma_interpolation(learner, config, batch):
    """Reconstruction and divergence of an autoencoder."""
    networks = translated(learner, {"encoder": 0, "decoder": 0})
    image = torch.tensor(batch["image"])

    def loss():
        mean, log_variance = networks["encoder"](image)
        output = networks["decoder"](mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean))
        divergence = 0.5 * (log_variance.exp() + mean.square() - 1 - log_variance).sum()
        return (functional.mse_loss(output, image, reduction="sum") + divergence) / len(image)

    return stepping(adam(list(networks.values()), learner.optimizers["adam"]), loss)


def lord_transfer(learner, config, batch):
    """The joint stage of section 2.1: content encoder, modulation, generator; the class table has a rate of its own."""
    from papers.lord_transfer.config import loss_terms

    names = ("content_encoder", "class_embedding", "class_modulation", "generator")
    networks = translated(learner, dict.fromkeys(names, 0))
    image, index = torch.tensor(batch["image"]), torch.tensor(batch["class"]).long()
    optimizers = [adam([networks[name] for name in names if (name == "class_embedding") == (kind == "tables")],
                       learner.optimizers[kind]) for kind in ("networks", "tables")]
    kinds = [{"mae": functional.l1_loss, "mse": functional.mse_loss}[term] for term in loss_terms(config)]

    def step():
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        code = networks["content_encoder"](image)
        parameters = networks["class_modulation"](networks["class_embedding"](index))
        made = networks["generator"](code + config.noise * torch.randn_like(code), parameters)
        loss = sum(kind(made, image) for kind in kinds) + config.content_decay * code.square().sum(dim=1).mean()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss

    return step


def musae(learner, config, batch):
    """The two phases of section 2.2, sixteen bars."""
    tokens = torch.tensor(batch["tokens"]).long()
    networks = translated(learner, {"encoder": tokens.shape[1], "decoder": 0, "critic": 0})
    encoder, decoder, critic = (networks[name] for name in ("encoder", "decoder", "critic"))
    both, one = (learner.optimizers[name] for name in ("autoencoder", "critic"))
    optimizers = adam([encoder, decoder], both), adam([critic], one)
    genres = learner.networks["critic"].inputs[1:]
    label = [torch.zeros(len(tokens), genres[0].shape[1])] if genres else []

    def step():
        mean, log_variance = encoder(functional.one_hot(tokens, 130).transpose(2, 3).float())
        z = mean + torch.exp(log_variance / 2) * torch.randn_like(mean)
        entropy = functional.cross_entropy(decoder(z).transpose(1, 2), tokens, reduction="none").mean(dim=1)
        fixed, real, weight = z.detach(), torch.randn_like(z), torch.rand(len(z), 1)
        mixed = (weight * real + (1 - weight) * fixed).requires_grad_()
        (slope,) = torch.autograd.grad(critic(mixed, *label).sum(), mixed, create_graph=True)
        penalty = (slope.square().sum(dim=1).add(1e-12).sqrt() - 1).square()
        against = (critic(fixed, *label)[:, 0] - critic(real, *label)[:, 0] + config.gradient_penalty * penalty).mean()
        optimizers[1].zero_grad(set_to_none=True)
        against.backward()
        optimizers[1].step()
        optimizers[0].zero_grad(set_to_none=True)
        loss = entropy.sum(dim=1).mean() - config.beta_max * critic(z, *label).mean()
        loss.backward()
        optimizers[0].step()
        return loss

    return step


STEPS = {"softmax_ae": softmax_ae, "symphony2vec": symphony2vec, "fma_interpolation": fma_interpolation,
         "lord_transfer": lord_transfer, "musae": musae}
