return Dedup.Host.Commands.Cli.Run(args, Dedup.Host.Commands.CliContext.System());
