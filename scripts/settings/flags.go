package main

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
)

// flag is what a flag of a program is in one minor.
type flag struct {
	// Deprecated is what the program says of a flag that is not to be used any more, one line; "" of others.
	Deprecated string
}

// where names the functions that declare a program's flags: those of an import path, of one file of it ("options#serving.go"), or of one
// type in that ("options#serving.go:Options"). Behind a question mark is a name that the program's own options must mention. What a minor
// does not have is left out. The lab holds the outcome against what the programs of its own minor register.
func where() map[string][]string {
	const (
		server = "k8s.io/apiserver/pkg/server/options"
		cloud  = "k8s.io/cloud-provider/options"
	)
	base := []string{
		"k8s.io/component-base/logs/api/v1#options.go", "k8s.io/component-base/logs#logs.go", "k8s.io/component-base/version/verflag",
		"k8s.io/component-base/metrics#options.go", "k8s.io/component-base/featuregate#feature_gate.go", "k8s.io/component-base/cli/globalflag",
		"k8s.io/component-base/compatibility#registry.go", "k8s.io/component-base/featuregate#registry.go",
	}
	serving := []string{server + "#serving.go", server + "#serving_with_loopback.go", server + "#authentication.go",
		server + "#authorization.go"}
	elect := "k8s.io/component-base/config/options#leaderelectionconfig.go"
	return map[string][]string{
		"kube-apiserver": append([]string{
			"k8s.io/kubernetes/cmd/kube-apiserver/app/options", "k8s.io/kubernetes/pkg/controlplane/apiserver/options",
			"k8s.io/kubernetes/pkg/kubeapiserver/options", "k8s.io/kubernetes/plugin/pkg/admission/defaulttolerationseconds",
			server + "#serving.go", server + "#audit.go", server + "#etcd.go", server + "#feature.go", server + "#server_run_options.go",
			server + "#authentication.go:RequestHeaderAuthenticationOptions", server + "#authentication.go:ClientCertAuthenticationOptions",
			server + "#admission.go", server + "#api_enablement.go", server + "#egress_selector.go", server + "#tracing.go",
		}, base...),
		"kube-controller-manager": slices.Concat([]string{
			"k8s.io/kubernetes/cmd/kube-controller-manager/app/options", "k8s.io/controller-manager/options",
			"k8s.io/controller-manager/pkg/leadermigration/options", cloud + "#kubecloudshared.go", cloud + "#cloudprovider.go",
			cloud + "#servicecontroller.go?ServiceController", elect,
		}, serving, base),
		"kube-scheduler": slices.Concat([]string{"k8s.io/kubernetes/cmd/kube-scheduler/app/options", elect}, serving, base),
		"kubelet": append([]string{"k8s.io/kubernetes/cmd/kubelet/app/options", "k8s.io/kubernetes/pkg/kubelet/config#flags.go"},
			without(base, "metrics#", "compatibility#", "featuregate#registry")...),
		// As of the others, the flags of the JSON format of logs are among them: their main packages register it.
		"kube-proxy": append([]string{"k8s.io/kubernetes/cmd/kube-proxy/app"},
			without(base, "metrics#", "compatibility#", "featuregate#registry")...),
	}
}

func without(from []string, parts ...string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(p string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(p, part) })
	})
}

// flags are those that a program takes in this minor.
func (s *source) flags(program string) (map[string]flag, []string) {
	// These two are made by helpers that are given their names.
	out, odd := map[string]flag{"version": {}, "help": {}}, []string(nil)
	places := where()[program]
	for _, place := range places {
		place, needs, _ := strings.Cut(place, "?")
		if needs != "" && !s.mentions(places[0], needs) {
			continue
		}
		at, only, _ := strings.Cut(place, "#")
		only, of, _ := strings.Cut(only, ":")
		p := s.pkg(at)
		if p == nil {
			continue
		}
		for _, f := range p.files {
			if only != "" && !strings.HasSuffix(s.fileName(at, f), "/"+only) {
				continue
			}
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil && (of == "" || of == receiver(fn)) {
					odd = append(odd, s.flagsOf(at, f, fn, out)...)
				}
			}
		}
	}
	if program == "kubelet" {
		s.moved(out)
	}
	return out, odd
}

// moved deprecates the kubelet's flags for logging, which are fields of its configuration, too: AddKubeletConfigFlags says so of all that
// it adds, those of other packages included, but for what it excepts. Its own flags are read with it.
func (s *source) moved(out map[string]flag) {
	const logs = "k8s.io/component-base/logs/api/v1"
	p := s.pkg("k8s.io/kubernetes/cmd/kubelet/app/options")
	for _, f := range p.files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || deprecatesAll(fn) == "" {
				continue
			}
			logging := map[string]flag{}
			for _, lf := range s.pkg(logs).files {
				for _, d := range lf.Decls {
					if add, ok := d.(*ast.FuncDecl); ok && add.Body != nil && strings.HasSuffix(s.fileName(logs, lf), "/options.go") {
						s.flagsOf(logs, lf, add, logging)
					}
				}
			}
			for name := range logging {
				out[name] = flag{Deprecated: deprecatesAll(fn)}
			}
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				if kv, ok := n.(*ast.KeyValueExpr); ok && isTrue(kv.Value) {
					if name, ok := s.text("", f, kv.Key); ok {
						out[name] = flag{}
					}
				}
				return true
			})
		}
	}
}

// mentions reports whether a package selects a field or method of a name.
func (s *source) mentions(at, name string) bool {
	found := false
	for _, f := range s.pkg(at).files {
		ast.Inspect(f, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == name {
				found = true
			}
			return !found
		})
	}
	return found
}

// receiver is the name of the type that a method is of.
func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) != 1 {
		return ""
	}
	t := fn.Recv.List[0].Type
	if p, ok := t.(*ast.StarExpr); ok {
		t = p.X
	}
	return lastName(t)
}

// fileName is where a parsed file came from.
func (s *source) fileName(at string, f *ast.File) string { return s.pkg(at).names[f] }

// declares are the methods of a flag set that make a flag, with where its name stands among the arguments.
var declares = regexp.MustCompile(`^(Bool|Int|Int8|Int16|Int32|Int64|Uint|Uint8|Uint16|Uint32|Uint64|Float32|Float64|Duration|` +
	`String|StringSlice|StringArray|StringToString|StringToInt64|IntSlice|Int32Slice|DurationSlice|IP|IPNet|IPSlice|BoolSlice|Count|Text)?(Var)?(P|PF)?$`)

func (s *source) flagsOf(at string, f *ast.File, fn *ast.FuncDecl, out map[string]flag) []string {
	var odd []string
	all := deprecatesAll(fn)
	set := func(e ast.Expr, deprecated string) {
		if sets := s.perBackend(at, f, e); len(sets) > 0 {
			for _, name := range sets {
				out[name] = flag{}
			}
			return
		}
		name, ok := s.text(at, f, e)
		if x := lastName(e); !ok && x == "HousekeepingInterval" { // a constant of cAdvisor
			name, ok = "housekeeping-interval", true
		}
		if !ok && !isHelper(fn) {
			odd = append(odd, at+": "+fn.Name.Name+": a flag whose name is no literal")
			return
		}
		if !ok {
			return
		}
		name = strings.ReplaceAll(name, "_", "-")
		was := out[name]
		if deprecated = oneLine(deprecated); deprecated != "" {
			was.Deprecated = deprecated
		}
		out[name] = was
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch name := lastName(call.Fun); {
		case name == "MarkDeprecated" && len(call.Args) == 2:
			why, _ := s.text(at, f, call.Args[1])
			if _, known := s.text(at, f, call.Args[0]); known {
				set(call.Args[0], why)
			}
		case name == "Register" && len(call.Args) == 2 && isFlags(at):
			set(call.Args[1], "")
		case (name == "register" || name == "registerDeprecated") && len(call.Args) >= 3 && isFlags(at):
			why := ""
			if len(call.Args) == 4 {
				if why, _ = s.text(at, f, call.Args[3]); why == "" {
					why = s.local(at, f, fn, call.Args[3])
				}
			}
			set(call.Args[2], why)
		case isDeclaration(call, name):
			i := 0
			if strings.Contains(name, "Var") {
				i = 1
			}
			usage := ""
			for _, a := range call.Args[i+1:] {
				if text, ok := s.text(at, f, a); ok {
					usage = text
				} else if text := s.leading(at, f, a); text != "" {
					usage = text
				}
			}
			if !strings.HasPrefix(usage, "DEPRECATED") {
				usage = all
			}
			set(call.Args[i], usage)
		}
		return true
	})
	return odd
}

func isFlags(at string) bool { return strings.HasSuffix(at, "app/options") }

// isDeclaration reports whether a call makes a flag: fs.StringVar(&o.X, "name", ...), pflag.Var(v, "name", usage), fs.Bool("name", ...).
func isDeclaration(call *ast.CallExpr, name string) bool {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || name == "" || !declares.MatchString(name) {
		return false
	}
	on := ""
	switch x := sel.X.(type) {
	case *ast.Ident:
		on = x.Name
	case *ast.CallExpr: // fss.FlagSet("generic").DurationVar(...)
		on = lastName(x.Fun)
	}
	switch on {
	case "fs", "flag", "flags", "pflag", "local", "mainfs", "flagSet", "FlagSet", "fset", "genericfs":
	default:
		return false
	}
	if strings.Contains(name, "Var") {
		return len(call.Args) >= 3
	}
	return len(call.Args) >= 3 && !strings.Contains(name, "Var")
}

// deprecatesAll is what a function says of all flags that it declares: the kubelet's belong into its configuration file.
func deprecatesAll(fn *ast.FuncDecl) string {
	if fn.Name.Name == "AddKubeletConfigFlags" {
		return "This parameter should be set via the config file specified by the Kubelet's --config flag."
	}
	return ""
}

// isHelper reports whether a function declares flags by names that it is given; who calls it names them, or `always` does.
func isHelper(fn *ast.FuncDecl) bool {
	return fn.Name.Name == "registerDeprecated" || fn.Name.Name == "register" || fn.Name.Name == "VersionVar" || fn.Name.Name == "AddGoFlags"
}

// perBackend are the flags that stand for each backend of the audit log: fmt.Sprintf("audit-%s-mode", pluginName).
func (s *source) perBackend(at string, f *ast.File, e ast.Expr) []string {
	call, ok := e.(*ast.CallExpr)
	if !ok || lastName(call.Fun) != "Sprintf" || len(call.Args) != 2 {
		return nil
	}
	form, _ := s.text(at, f, call.Args[0])
	if !strings.HasPrefix(form, "audit-%s-") {
		return nil
	}
	return []string{strings.Replace(form, "%s", "log", 1), strings.Replace(form, "%s", "webhook", 1)}
}

// local is the value of a constant or variable of a function.
func (s *source) local(at string, f *ast.File, fn *ast.FuncDecl, e ast.Expr) string {
	name, value := lastName(e), ""
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok {
			for i, id := range v.Names {
				if id.Name == name && i < len(v.Values) {
					value, _ = s.text(at, f, v.Values[i])
				}
			}
		}
		return true
	})
	return value
}

// leading is the text that an expression begins with.
func (s *source) leading(at string, f *ast.File, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return s.leading(at, f, e.X)
	case *ast.CallExpr:
		if lastName(e.Fun) == "Sprintf" && len(e.Args) > 0 {
			return s.leading(at, f, e.Args[0])
		}
	}
	text, _ := s.text(at, f, e)
	return text
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
