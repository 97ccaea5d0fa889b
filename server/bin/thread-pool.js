// Plain JavaScript without newer syntax, imported before anything that reads a file by itself: the
// threads are counted when the first of them is needed. Hashing a password holds one of them for
// tens of milliseconds, two at once at most; with the usual four, files and names would wait.
process.env.UV_THREADPOOL_SIZE = process.env.UV_THREADPOOL_SIZE || '8'
