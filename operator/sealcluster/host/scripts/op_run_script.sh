in_env "$d/in/command" "$R$cwd"
