// The benchmarks of docs/performance.md register here; until the first one has landed the program only says so.
await Console.Error.WriteLineAsync("dedup-bench: there is no benchmark yet");
return 2;
