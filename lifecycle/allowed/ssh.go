package allowed

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// The forms of SSH options' values.
var (
	algorithmsForm = regexp.MustCompile(`^[-+^]?[A-Za-z0-9@.*?_-]+(,[A-Za-z0-9@.*?_-]+)*$`)
	numberForm     = regexp.MustCompile(`^[0-9]{1,9}$`)
	timeForm       = regexp.MustCompile(`^([0-9]{1,9}[smhdwSMHDW]?)+$`)
	wordForm       = regexp.MustCompile(`^[A-Za-z0-9][-A-Za-z0-9_.:,%]*$`)
	twoWordsForm   = regexp.MustCompile(`^[a-z0-9]+( [a-z0-9]+)?$`)
	yesNoForm      = regexp.MustCompile(`^(?i:yes|no|true|false)$`)
	sizeForm       = regexp.MustCompile(`^(?i:default|none|[0-9]{1,9}[KMG]?)( [0-9a-z]+)?$`)
	// keyFileForm is a path without variables: `${...}` and `%...` put what they find into the names of files, and so into messages.
	keyFileForm = regexp.MustCompile(`^[^\s$%\x60\x00-\x1f\x7f]+$`)
)

// sshOptions are OpenSSH's options that choose among algorithms, identities and times. None of them starts a program, reaches another
// place,
// trusts another key, or hands anything of this machine to the other.
func sshOptions() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		"AddressFamily": wordForm, "BatchMode": yesNoForm, "BindAddress": wordForm, "BindInterface": wordForm,
		"CASignatureAlgorithms": algorithmsForm, "CertificateFile": keyFileForm, "CheckHostIP": yesNoForm, "Ciphers": algorithmsForm,
		"Compression": yesNoForm, "ConnectTimeout": timeForm, "ConnectionAttempts": numberForm, "FingerprintHash": wordForm,
		"HashKnownHosts": yesNoForm, "HostKeyAlgorithms": algorithmsForm, "IPQoS": twoWordsForm,
		"IdentitiesOnly": yesNoForm, "KbdInteractiveAuthentication": yesNoForm, "KexAlgorithms": algorithmsForm, "LogLevel": wordForm,
		"MACs": algorithmsForm, "NumberOfPasswordPrompts": numberForm, "PasswordAuthentication": yesNoForm,
		"PreferredAuthentications": algorithmsForm, "PubkeyAcceptedAlgorithms": algorithmsForm, "PubkeyAcceptedKeyTypes": algorithmsForm,
		"PubkeyAuthentication": yesNoForm, "RekeyLimit": sizeForm, "RequiredRSASize": numberForm, "ServerAliveCountMax": numberForm,
		"ServerAliveInterval": timeForm, "TCPKeepAlive": yesNoForm, "VisualHostKey": yesNoForm,
		// told to be of no use, and overruled: host keys are always checked against the site's known_hosts
		"UserKnownHostsFile": nil, "GlobalKnownHostsFile": nil, "StrictHostKeyChecking": nil,
	}
}

// sshFields are the options that have a field of their own beside `options`.
func sshFields() map[string]string {
	return map[string]string{
		"hostname": "address", "port": "port", "user": "user", "identityfile": "keyPath", "proxyjump": "bastion", "proxycommand": "bastion",
	}
}

// SSHOption judges one of a host's SSH options. A value may be text, a number, yes or no, or a list of them.
func SSHOption(name string, value any) Refusal {
	form, known := (*regexp.Regexp)(nil), false
	for option, f := range sshOptions() {
		if strings.EqualFold(option, name) {
			form, known = f, true
		}
	}
	if !known {
		try := "The options that may be set choose algorithms, identities and times: " + strings.Join(sshOptionNames(), ", ") + "."
		if field := sshFields()[strings.ToLower(name)]; field != "" {
			try = fmt.Sprintf("Write `%s:` under `ssh:` instead.", field)
		}
		return Refusal{fmt.Sprintf("the SSH option %s may not be set", name),
			"It could start a program on the machine that runs kiban, lead the connection elsewhere, or has no effect.", try}
	}
	if form == nil || value == nil {
		return Refusal{}
	}
	items, isList := value.([]any)
	if !isList {
		items = []any{value}
	}
	for _, item := range items {
		if text := fmt.Sprint(item); !form.MatchString(text) {
			return Refusal{fmt.Sprintf("%q is no value of the SSH option %s", text, name), "", fmt.Sprintf("Write it as ssh_config(5) has it, "+
				"without variables: %s.", example(form))}
		}
	}
	return Refusal{}
}

func sshOptionNames() []string {
	var names []string
	for name, form := range sshOptions() {
		if form != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// example is a value of a form.
func example(form *regexp.Regexp) string {
	for text, of := range map[string]*regexp.Regexp{"a list of algorithms such as aes128-ctr,aes256-ctr": algorithmsForm,
		"a number":                numberForm,
		"a time such as 10 or 1m": timeForm, "yes or no": yesNoForm, "a path": keyFileForm, "a size such as 1G": sizeForm} {
		if form == of {
			return text
		}
	}
	return "one word"
}
