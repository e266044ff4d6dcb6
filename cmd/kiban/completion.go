package main

import (
	"github.com/spf13/cobra"
)

func newCompletion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the script that completes kiban's command line in a shell",
		Long: "Print the script that completes kiban's command line in a shell. That of bash needs the package bash-completion,\n" +
			"loaded before it.",
		Example:   "  source <(kiban completion bash)\n  kiban completion zsh > \"${fpath[1]}/_kiban\"",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(cmd, "which shell? bash, zsh, fish or powershell")
			}
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(a.Out, true)
			case "zsh":
				return root.GenZshCompletion(a.Out)
			case "fish":
				return root.GenFishCompletion(a.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(a.Out)
			}
			return usage(cmd, args[0]+" is not a shell that kiban knows: bash, zsh, fish or powershell")
		},
	}
}
