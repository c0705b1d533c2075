// Patterns come from JSON Schemas that others wrote; one that backtracks for ever must not stop a partition.
AppContext.SetData("REGEX_DEFAULT_MATCH_TIMEOUT", TimeSpan.FromMilliseconds(100));
return Dedup.Host.Commands.Cli.Run(args, Dedup.Host.Commands.CliContext.System());
