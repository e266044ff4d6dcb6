package k0s

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// quick answers, without a process, the two questions that k0sctl asks of every machine: `get --raw=PATH` and `get node NAME -o json`.
// With many machines the processes would take all the time there is. ok is false for everything else, and whenever the answer is not
// a plain success: then the real kubectl finds the words.
func (s *session) quick(ctx context.Context, config string, args []string) (ok bool) {
	path, node := quickPath(args)
	if path == "" {
		return false
	}
	kc, err := s.call.Files.ReadFile(config)
	if err != nil {
		return false
	}
	cfg, err := clientcmd.RESTConfigFromKubeConfig(kc)
	if err != nil {
		return false
	}
	cfg.Timeout = 10 * time.Second
	cs, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return false
	}
	b, err := cs.RESTClient().Get().AbsPath(path).DoRaw(ctx)
	if err != nil {
		return false
	}
	if node {
		var out bytes.Buffer
		if json.Indent(&out, b, "", "    ") != nil {
			return false
		}
		b = append(out.Bytes(), '\n')
	}
	_, err = s.call.Out.Write(b)
	return err == nil
}

// quickPath is the API path of a question that quick answers, "" for others.
func quickPath(args []string) (path string, node bool) {
	switch {
	case len(args) == 2 && args[0] == "get" && strings.HasPrefix(args[1], "--raw=/") && !strings.Contains(args[1], "?"):
		return strings.TrimPrefix(args[1], "--raw="), false
	case len(args) == 5 && args[0] == "get" && args[1] == "node" && args[3] == "-o" && args[4] == "json" && !strings.HasPrefix(args[2], "-"):
		return "/api/v1/nodes/" + args[2], true
	}
	return "", false
}
