package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hookarr/hookarr/core/config"
)

// usageError is a command line that cannot be done.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// usage is a command's in one line.
func usage(cmd *cobra.Command) string {
	line := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		line = cmd.CommandPath() + " COMMAND"
	}
	return fmt.Sprintf("usage: %s (%s --help says more)", line, cmd.CommandPath())
}

// strict has every command judge its command line the same way, cobra's own commands
// included.
func strict(root *cobra.Command) {
	root.SetFlagErrorFunc(flagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		switch {
		case cmd.Name() == "help":
			cmd.Args = topic
		case cmd.HasSubCommands():
			cmd.Args = noCommand
		default:
			cmd.Args = asUsed
		}
		if !cmd.Runnable() {
			cmd.RunE = needsCommand
		}
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

// asUsed wants the arguments that the command's Use has, such as SOURCE [FILE...].
func asUsed(cmd *cobra.Command, args []string) error {
	want := strings.Fields(cmd.Use)[1:]
	for i, name := range want {
		if !strings.HasPrefix(name, "[") && i >= len(args) {
			return usagef("give %s", name)
		}
	}
	many := strings.HasSuffix(cmd.Use, "...]")
	if n := len(want); !many && len(args) > n {
		return usagef("%q is one argument too many", args[n])
	}
	return nil
}

// noCommand refuses what is left when cobra has found no command of that name.
func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	known := commandNames(cmd)
	hint := config.Suggest(args[0], known)
	if hint == "" {
		hint = "; there are " + strings.Join(known, ", ")
	}
	return usagef("unknown command %q%s", args[0], hint)
}

func needsCommand(cmd *cobra.Command, _ []string) error {
	return usagef("give a command: %s", strings.Join(commandNames(cmd), ", "))
}

// topic wants what help can be given for.
func topic(help *cobra.Command, args []string) error {
	cmd, rest, err := help.Root().Find(args)
	if err != nil || len(rest) == 0 {
		return err
	}
	return noCommand(cmd, rest)
}

func commandNames(cmd *cobra.Command) []string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// flagError puts into words what was wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var known []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
		name := "--" + unknown.GetSpecifiedName()
		return usagef("unknown flag %s%s", name, config.Suggest(name, known))
	}
	if lacking, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s needs a value", lacking.GetFlag().Name)
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usagef("--%s: %q is no %s", wrong.GetFlag().Name, wrong.GetValue(), wrong.GetFlag().Value.Type())
	}
	return usageError{err}
}
