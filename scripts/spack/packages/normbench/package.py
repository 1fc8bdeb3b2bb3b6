# SPDX-License-Identifier: MIT
"""normbench for Spack: builds the commit that this checkout stands on. docs/fleet.md says how it is used. Never run by Spack so far."""
from pathlib import Path

from spack.package import *


class Normbench(MakefilePackage):
    """The cost of normalization in Transformers on real machines: LayerNorm, RMSNorm and DyT, alone and inside whole layers."""

    homepage = "https://arxiv.org/abs/2503.10622"
    # Spack makes a repository of its own of it; what is not committed is not built.
    git = Path(__file__).resolve().parents[4].as_uri()

    license("MIT")
    version("main", branch="main")

    variant("plots", default=True, description="gnuplot, which draws the figures")

    depends_on("c", type="build")
    depends_on("gmake", type="build")
    depends_on("hwloc@2.4:2")
    depends_on("onednn@2.6:3 cpu_runtime=omp")
    depends_on("jansson")
    depends_on("zlib-api")
    depends_on("sleef", when="target=x86_64:")
    depends_on("sleef", when="target=aarch64:")
    depends_on("cmocka", type="test")
    depends_on("mpfr", type="test")
    depends_on("gnuplot+cairo", type="run", when="+plots")

    def build(self, spec, prefix):
        make("all", "lib", "CC=cc", f"PREFIX={prefix}")

    def install(self, spec, prefix):
        make("install", "CC=cc", f"PREFIX={prefix}")
