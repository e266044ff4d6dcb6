module kiban.dev/kiban

go 1.26.0

// k0sctl v0.32.2 asks for rig v2.1.1; the two differ in Windows support only, and v2.1.0 is the release that module mirrors carry.
replace github.com/k0sproject/rig/v2 => github.com/k0sproject/rig/v2 v2.1.0
