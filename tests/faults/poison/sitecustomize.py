"""Set a training's weights to NaN after step SWAPSET_POISON_STEP; Python imports this at start."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULE = "swapset.generation.training"


class _Poisoner(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loader of the unchanged module that then wraps its training step."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != MODULE:
            return None
        sys.meta_path.remove(self)
        self._real = importlib.util.find_spec(name)
        return importlib.util.spec_from_loader(name, self, origin=self._real.origin)

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = self._real.origin
        self._real.loader.exec_module(module)
        step = module.Trainer.step

        def poisoned(training: object, index: int) -> object:
            loss = step(training, index)
            if index + 1 == int(os.environ["SWAPSET_POISON_STEP"]):
                next(training.model.parameters()).data.fill_(float("nan"))
            return loss

        module.Trainer.step = poisoned


sys.meta_path.insert(0, _Poisoner())
