/**
 * The service cannot start or go on, and a person has to do something about it. The message is all
 * that this person sees: it names the cause, the object and the next command to type. The launcher
 * prints it without a stack trace and ends with a non-zero exit code.
 */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
