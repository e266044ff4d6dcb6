package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kiban.dev/kiban/lab/oidc"
)

func oidcCommand() *cobra.Command {
	var dir, listen string
	c := &cobra.Command{Use: "oidc", Short: "Serve an identity provider that signs any claims", Args: cobra.NoArgs,
		Long: "Serve an OpenID Connect issuer on a loopback address until interrupted. " +
			"Its folder holds ca.crt and url, and the keys with which\n" +
			"`kiban-lab oidc token` signs.",
		RunE: func(c *cobra.Command, _ []string) error {
			i, err := oidc.Start(dir, listen)
			if err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), i.URL())
			<-c.Context().Done()
			return i.Close()
		}}
	c.PersistentFlags().StringVar(&dir, "dir", ".lab/oidc", "the issuer's folder")
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "the loopback address to serve at")

	claims := map[string]string{}
	token := &cobra.Command{Use: "token", Short: "Print a token", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error {
		i, err := oidc.Open(dir)
		if err != nil {
			return err
		}
		said := map[string]any{}
		for name, v := range claims {
			said[name] = claim(v)
		}
		t, err := i.Token(said)
		if err == nil {
			fmt.Fprintln(c.OutOrStdout(), t)
		}
		return err
	}}
	token.Flags().StringToStringVar(&claims, "claim", nil, `a claim, JSON or text: sub=ann, groups='["product-a"]'; may be repeated`)
	c.AddCommand(token)
	return c
}

// claim reads a claim's value: JSON, or else text.
func claim(text string) any {
	var v any
	if strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{") || text == "true" || text == "false" {
		if json.Unmarshal([]byte(text), &v) == nil {
			return v
		}
	}
	return text
}
