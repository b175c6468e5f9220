/* Notes each code object when it first begins to run: CPython 3.8 to 3.11, by a frame evaluation function (PEP 523).
 * Later versions have sys.monitoring. Built by build.py for the interpreter at hand.
 *
 * start(list): from now on code objects go to the list, once a process; those of no file do not.
 * seeing(): false when it has stopped. On 3.11 calls of Python functions use the C stack while a frame evaluation
 * function is set, so it is taken away when a program raises the recursion limit beyond what that stack holds.
 * watch(code, call): call(first three arguments) at each start of that code. */
#define PY_SSIZE_T_CLEAN
#define Py_BUILD_CORE 1
#include <Python.h>
#include <frameobject.h>
#if PY_VERSION_HEX >= 0x030b0000
#include <internal/pycore_frame.h>
#endif
#if PY_VERSION_HEX >= 0x03090000
#include <internal/pycore_interp.h>
#else
#include <internal/pycore_pystate.h>
#endif

#if PY_VERSION_HEX >= 0x030b0000 && PY_VERSION_HEX < 0x030b0400
#define NEED_OPCODE_TABLES
#include <internal/pycore_opcode.h>

/* There a specialized o[i] begins a __getitem__ of Python by itself (python/cpython#104405): code with an o[i] stays as it
 * was compiled, for which it must count as specialized already; what was before start() is put back when it begins again. */
static void keep_general(PyCodeObject *code)
{
    _Py_CODEUNIT *units = _PyCode_CODE(code);
    int found = 0;
    for (Py_ssize_t i = 0; i < Py_SIZE(code); i++) {
        int general = _PyOpcode_Deopt[_Py_OPCODE(units[i])];
        if (general == BINARY_SUBSCR) {
            _Py_SET_OPCODE(units[i], BINARY_SUBSCR);
            found = 1;
        }
        i += _PyOpcode_Caches[general];
    }
    if (found)
        code->co_warmup = 0;
}
#else
static void keep_general(PyCodeObject *code)
{
    (void)code;
}
#endif

static PyObject *raise_error(PyObject *type, const char *text)
{
    PyErr_SetString(type, text);
    return NULL;
}

static PyObject *codes, *watcher;
static Py_ssize_t slot = -1;
static int seeing, watched; /* watched: its address marks the code that is */

static void note(PyCodeObject *code)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    keep_general(code);
    if (_PyCode_SetExtra((PyObject *)code, slot, &slot) != 0)
        PyErr_Clear();
    PyObject *name = code->co_filename;
    if (PyUnicode_GET_LENGTH(name) > 0 && PyUnicode_READ_CHAR(name, 0) != '<' &&
        PyList_Append(codes, (PyObject *)code) != 0)
        PyErr_Clear();
    PyErr_Restore(type, value, traceback);
}

static void tell(PyCodeObject *code, PyObject **locals)
{
    PyObject *type, *value, *traceback, *arguments[3];
    PyErr_Fetch(&type, &value, &traceback);
    for (int i = 0; i < 3; i++)
        arguments[i] = i < code->co_argcount && locals[i] ? locals[i] : Py_None;
    PyObject *done = PyObject_CallFunctionObjArgs(watcher, arguments[0], arguments[1], arguments[2], NULL);
    if (!done)
        PyErr_Clear();
    Py_XDECREF(done);
    PyErr_Restore(type, value, traceback);
}

/* What co_extra points to (Objects/codeobject.c of 3.6 to 3.11, _PyCodeObjectExtra): _PyCode_GetExtra, inline. */
struct extra {
    Py_ssize_t size;
    void *items[1];
};

/* It has been noted, and nobody wants to know when it runs again. */
static inline int is_known(const PyCodeObject *code)
{
    const struct extra *extra = code->co_extra;
    return extra && extra->size > slot && extra->items[slot] == &slot;
}

__attribute__((noinline)) static void see(PyCodeObject *code, PyObject **locals)
{
    const struct extra *extra = code->co_extra;
    if (extra && extra->size > slot && extra->items[slot] == &watched)
        tell(code, locals);
    else
        note(code);
}

#if PY_VERSION_HEX >= 0x030b0000

enum { MAX_RECURSION = 5000 };
static PyCFunction set_limit;

__attribute__((noinline)) static PyObject *evaluate_new(PyThreadState *thread, struct _PyInterpreterFrame *frame, int throw)
{
    see(frame->f_code, frame->localsplus);
    return _PyEval_EvalFrameDefault(thread, frame, throw);
}

static PyObject *evaluate(PyThreadState *thread, struct _PyInterpreterFrame *frame, int throw)
{
    return is_known(frame->f_code) ? _PyEval_EvalFrameDefault(thread, frame, throw) : evaluate_new(thread, frame, throw);
}

/* In the place of sys.setrecursionlimit. */
static PyObject *watch_limit(PyObject *sys, PyObject *limit)
{
    PyObject *done = set_limit(sys, limit);
    if (done && seeing && Py_GetRecursionLimit() > MAX_RECURSION) {
        seeing = 0;
        _PyInterpreterState_SetEvalFrameFunc(PyThreadState_Get()->interp, _PyEval_EvalFrameDefault);
    }
    return done;
}

static void set(PyThreadState *thread)
{
    PyObject *f = PySys_GetObject("setrecursionlimit");
    if (!f || !PyCFunction_Check(f) || Py_GetRecursionLimit() > MAX_RECURSION) {
        seeing = 0;
        return;
    }
    PyMethodDef *definition = ((PyCFunctionObject *)f)->m_ml;
    set_limit = definition->ml_meth;
    definition->ml_meth = watch_limit;
    _PyInterpreterState_SetEvalFrameFunc(thread->interp, evaluate);
}

#elif PY_VERSION_HEX >= 0x03090000

__attribute__((noinline)) static PyObject *evaluate_new(PyThreadState *thread, PyFrameObject *frame, int throw)
{
    see(frame->f_code, frame->f_localsplus);
    return _PyEval_EvalFrameDefault(thread, frame, throw);
}

static PyObject *evaluate(PyThreadState *thread, PyFrameObject *frame, int throw)
{
    return is_known(frame->f_code) ? _PyEval_EvalFrameDefault(thread, frame, throw) : evaluate_new(thread, frame, throw);
}

static void set(PyThreadState *thread)
{
    _PyInterpreterState_SetEvalFrameFunc(PyThreadState_GetInterpreter(thread), evaluate);
}

#else

__attribute__((noinline)) static PyObject *evaluate_new(PyFrameObject *frame, int throw)
{
    see(frame->f_code, frame->f_localsplus);
    return _PyEval_EvalFrameDefault(frame, throw);
}

static PyObject *evaluate(PyFrameObject *frame, int throw)
{
    return is_known(frame->f_code) ? _PyEval_EvalFrameDefault(frame, throw) : evaluate_new(frame, throw);
}

static void set(PyThreadState *thread)
{
    thread->interp->eval_frame = evaluate;
}

#endif

static PyObject *start(PyObject *self, PyObject *list)
{
    (void)self;
    if (!PyList_CheckExact(list) || codes)
        return raise_error(PyExc_TypeError, "a list, once");
    slot = _PyEval_RequestCodeExtraIndex(NULL);
    if (slot < 0)
        return raise_error(PyExc_RuntimeError, "no place in code objects is left");
    Py_INCREF(list);
    codes = list;
    seeing = 1;
    set(PyThreadState_Get());
    Py_RETURN_NONE;
}

static PyObject *is_seeing(PyObject *self, PyObject *unused)
{
    (void)self;
    (void)unused;
    return PyBool_FromLong(seeing);
}

static PyObject *watch(PyObject *self, PyObject *args)
{
    PyObject *code, *call;
    (void)self;
    if (!PyArg_ParseTuple(args, "O!O", &PyCode_Type, &code, &call))
        return NULL;
    if (slot < 0 || _PyCode_SetExtra(code, slot, &watched) != 0)
        return raise_error(PyExc_RuntimeError, "not started");
    keep_general((PyCodeObject *)code);
    Py_INCREF(call);
    Py_XSETREF(watcher, call);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"start", start, METH_O, NULL},
    {"seeing", is_seeing, METH_NOARGS, NULL},
    {"watch", watch, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_fastest_tracer", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__fastest_tracer(void)
{
    return PyModule_Create(&module);
}
