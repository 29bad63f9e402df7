"""A device that was lost or stolen is disabled, and enabled again when it is back (R14).

What that entails happens in :meth:`~offhook.inventory.editor.Editor.settle`, so that ``state: disabled`` in a document
does the same: all credentials of its lines and its token are gone, and with them its bindings and files. Of a base the
handsets go out of service as well, since its file held their credentials; a disabled handset leaves its base's file.
Assignments stay. A device that is enabled gets new credentials and a new token, and must fetch them; what a foreign
registrar gave has to be stated again.

The account's token, which other devices use too, stays valid: rotate it where a stolen device knew it.
"""

from offhook.inventory.editor import Editor
from offhook.inventory.models import Device, DeviceState


def disable(editor: Editor, device: Device) -> Device:
    """Takes a device out of service. Does nothing to one that is."""
    return _set_state(editor, device, DeviceState.DISABLED, "disable")


def enable(editor: Editor, device: Device) -> Device:
    """Puts a device into service again, with new secrets. Does nothing to one that is."""
    return _set_state(editor, device, DeviceState.ACTIVE, "enable")


def _set_state(editor: Editor, device: Device, state: DeviceState, action: str) -> Device:
    if device.state is state:
        return device
    changed = editor.change(device, state=state)
    editor.note(action, changed)
    return changed
