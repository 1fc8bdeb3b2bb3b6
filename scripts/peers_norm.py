# SPDX-License-Identifier: MIT
"""libnorm in this process, by ctypes: its implementations by name, called on memory that somebody else owns; and whether the
threads that it runs on are those of whoever else uses OpenMP here."""
import ctypes
import functools
import os
import re

PASSES = ("forward", "backward")
HEADER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../kernels/norm.h")
FORMS = ("fused", "eager", "framework")  # those that are timed beside PyTorch, where the library has them
DEPENDED_ON = ("layernorm", "rmsnorm", "dyt", "identity")


def fields_of(header, name):
    """The fields of a struct of norm.h for ctypes, so that they are where the library has them, whichever it is."""
    with open(header, encoding="utf-8") as file:
        text = re.sub(r"//[^\n]*", "", file.read())
    body = re.search(r"typedef struct \{([^{}]*)\} " + name + ";", text).group(1)
    plain = {"size_t": ctypes.c_size_t, "float": ctypes.c_float, "int": ctypes.c_int, "unsigned": ctypes.c_uint, "bool": ctypes.c_bool,
             "double": ctypes.c_double}
    fields = []
    for declaration in filter(None, (part.strip() for part in body.split(";"))):
        kind, names = re.fullmatch(r"(?:const )?(\w+)\s+(.*)", declaration, re.DOTALL).groups()
        for field in names.split(","):
            pointer, field = re.fullmatch(r"\s*(\**)(?:const )?\s*(\w+)\s*", field).groups()
            fields.append((field, ctypes.c_void_p if pointer else plain[kind]))
    return fields


class Args(ctypes.Structure):
    """norm_args; zeros ask for nothing."""
    _fields_ = fields_of(HEADER, "norm_args")


class Operation(ctypes.Structure):
    """norm_operation"""
    _fields_ = fields_of(HEADER, "norm_operation")


class Impl(ctypes.Structure):
    """The beginning of norm_impl."""
    _fields_ = [("op", ctypes.c_int), ("variant", ctypes.c_char_p), ("form", ctypes.c_int), ("level", ctypes.c_int),
                ("dtype", ctypes.c_int), ("params", ctypes.c_uint), ("reads_y", ctypes.c_bool),
                ("elementwise", ctypes.c_bool), ("streams", ctypes.c_bool)]


class Norm:
    """libnorm.so at a path."""

    def __init__(self, path):
        self.lib = lib = ctypes.CDLL(os.path.abspath(path))
        text, pointer, size, integer = ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        for name, result, arguments in (
                ("norm_at", pointer, [size]), ("norm_find", pointer, [text] * 5),
                ("norm_best", pointer, [integer, text, integer, integer]), ("norm_missing", text, [pointer]),
                ("norm_is_default", ctypes.c_bool, [pointer]), ("norm_default_variant", text, [integer, integer, integer]),
                ("norm_op_name", text, [integer]), ("norm_form_name", text, [integer]),
                ("norm_level_name", text, [integer]), ("norm_dtype_name", text, [integer]),
                ("norm_error_text", text, [integer]), ("norm_saved_bytes", size, [pointer, size, size]),
                ("norm_workspace_bytes", size, [pointer, size, size, integer]),
                ("norm_run", integer, [pointer, integer, ctypes.POINTER(Args), integer])):
            function = getattr(lib, name)
            function.restype, function.argtypes = result, arguments
        # Without types it is called faster; what it is given has them.
        self.run = ctypes.CDLL(os.path.abspath(path), handle=lib._handle).norm_run
        for register in ("sleef_register", "mkl_register"):
            if hasattr(lib, register):
                getattr(lib, register)()

    def find(self, op, variant, form, level, dtype):
        return self.lib.norm_find(*(name.encode() for name in (op, variant, form, level, dtype)))

    def chosen(self, dtype):
        """Names (op, variant, form, level) of what stands beside PyTorch: of each op and form the default variant at the best
        level, of dyt without beta as well, and the copy that is a ceiling."""
        lib, found, index = self.lib, [], 0
        while pointer := lib.norm_at(index):
            index += 1
            impl = Impl.from_address(pointer)
            op, form = lib.norm_op_name(impl.op).decode(), lib.norm_form_name(impl.form).decode()
            default = lib.norm_default_variant(impl.op, impl.form, impl.dtype)
            wanted = [default] + ([default + b"_nobeta"] if op == "dyt" else [])
            if (op in DEPENDED_ON and form in FORMS and (op != "identity" or form == "fused") and not impl.streams
                    and lib.norm_dtype_name(impl.dtype).decode() == dtype and impl.variant in wanted
                    and lib.norm_missing(pointer) is None
                    and lib.norm_best(impl.op, impl.variant, impl.form, impl.dtype) == pointer):
                found.append((op, impl.variant.decode(), form, lib.norm_level_name(impl.level).decode()))
        return sorted(found, key=lambda f: (FORMS.index(f[2]), DEPENDED_ON.index(f[0]), f[1]))

    def error(self, code):
        return self.lib.norm_error_text(code).decode()

    def call(self, pointer, which, args, threads):
        """One call of a pass, ready to be made; it returns 0 or an error."""
        return functools.partial(self.run, ctypes.c_void_p(pointer), ctypes.c_int(PASSES.index(which)), ctypes.byref(args),
                                 ctypes.c_int(threads))

    def operations(self, pointer, which):
        """How many operations a pass of form framework is to a framework's dispatcher; 0: none, or nobody knows."""
        count = getattr(self.lib, "norm_operations", None)
        return count(ctypes.c_void_p(pointer), ctypes.c_int(PASSES.index(which))) if count else 0

    def bytes_per_element(self, pointer, which):
        """What a pass reads and writes of each element, all operations together."""
        return self.lib.norm_bytes_per_element(ctypes.c_void_p(pointer), ctypes.c_int(PASSES.index(which)))

    def timed(self, pointer, which, args, threads):
        """One call of a pass of form framework, ready to be made: [(operations of a framework, ns), ...], its steps in order."""
        times, count = (Operation * 64)(), ctypes.c_size_t()

        def run():
            count.value = len(times)
            code = self.lib.norm_run_operations(ctypes.c_void_p(pointer), ctypes.c_int(PASSES.index(which)), ctypes.byref(args),
                                                ctypes.c_int(threads), times, ctypes.byref(count))
            if code:
                raise RuntimeError(f"libnorm: {self.error(code)}")
            return [(times[i].calls, times[i].ns) for i in range(count.value)]
        return run

    def release(self, pointer, saved):
        """What a forward left in saved for a backward that does not follow is freed, where it is more than the buffer."""
        if hasattr(self.lib, "norm_release"):
            self.lib.norm_release(ctypes.c_void_p(pointer), ctypes.c_void_p(saved))


# ---- One OpenMP for all

OPENMP = re.compile(r"/lib(?:gomp|iomp5|omp)\b[^/]*\.so[^/]*$")


def runtimes(maps):
    """The OpenMP libraries of a /proc/self/maps, each file once: {inode: path}."""
    found = {}
    for line in maps.splitlines():
        field = line.split(None, 5)
        if len(field) == 6 and OPENMP.search(field[5]):
            found.setdefault((field[3], field[4]), field[5])
    return found


def own_maps():
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as file:
        return file.read()


def threads_here():
    return len(os.listdir("/proc/self/task"))


def why_not_shared(maps, before, after):
    """Why libnorm and its host do not run on the same threads, or "". before, after: how many threads there were when the host
    had run on two, and when libnorm had, too."""
    paths = sorted(runtimes(maps).values())
    if not any("/libgomp" in path for path in paths):
        return f"this PyTorch runs on {', '.join(paths) or 'no OpenMP'}, libnorm on libgomp: take one that runs on libgomp, as pip's does"
    if len(paths) > 1:
        return f"two OpenMP libraries are in one process, {' and '.join(paths)}: neither would use the other's threads"
    if before < 2 or after != before:
        return f"libnorm does not use PyTorch's threads: {before} before a call on two, {after} after it"
    return ""


def check_shared(norm, host):
    """Raises RuntimeError unless libnorm runs on the threads of the host, a function that runs something on two threads."""
    values = (ctypes.c_float * 64)()
    pointer = norm.find("identity", "std", "fused", "best", "f32")
    data = ctypes.addressof(values)
    args = Args(rows=2, cols=16, x_stride=16, y_stride=16, x=data, y=data + 32 * ctypes.sizeof(ctypes.c_float))
    host()
    before = threads_here()
    code = norm.call(pointer, "forward", args, 2)()
    reason = norm.error(code) if code else why_not_shared(own_maps(), before, threads_here())
    if reason:
        raise RuntimeError(reason)
